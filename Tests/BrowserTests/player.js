// Plays a manifest, HLS in video.js, which is not ours, and notes every frame that is shown.

/** Calls back for each frame of a video that is shown: [width, number]. */
function watch(video, frames) {
  const look = () => {
    frames.push([video.videoWidth, frameIn(video, video.videoWidth, video.videoHeight)]);
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
}

/** The loudest that a video is while it plays, of full scale. */
function listen(video) {
  const context = new AudioContext(), analyser = context.createAnalyser(), samples = new Float32Array(analyser.fftSize);
  context.createMediaElementSource(video).connect(analyser);
  const heard = { loudness: 0 };
  setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    heard.loudness = Math.max(heard.loudness, Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length));
  }, 50);
  return heard;
}

/** {frames: [[width, number], …] in the order they were shown, decoded, loudness, error} once it ended. */
window.playManifest = (url, kind, isHeard = false) => new Promise(resolve => {
  const element = Object.assign(document.createElement("video"), { className: "video-js", muted: !isHeard, width: 640, height: 480 });
  document.body.replaceChildren(element);
  const frames = [];
  let heard = null;
  const end = error => {
    const video = document.querySelector("video");
    const decoded = video.getVideoPlaybackQuality().totalVideoFrames;
    resolve({ frames, decoded, loudness: heard?.loudness ?? 0, error: error ?? "" });
  };
  if (kind === "mpd") {
    watch(element, frames);
    element.onended = () => end();
    element.onerror = () => end(element.error.message);
    fillFromDASH(element, url).then(() => element.play()).catch(error => end(String(error)));
    return;
  }
  const player = videojs(element, { html5: { hls: { overrideNative: true }, nativeAudioTracks: false, nativeVideoTracks: false } });
  player.on("error", () => end(player.error().message));
  player.on("ended", () => end());
  player.ready(() => {
    watch(player.el().querySelector("video"), frames);
    if (isHeard) heard = listen(player.el().querySelector("video"));
    player.src({ src: url, type: "application/x-mpegURL" });
    player.play();
  });
});

const seconds = duration => Number(/^PT([\d.]+)S$/.exec(duration)?.[1]);

/**
 * All of a static MPD with SegmentList, as ISO/IEC 23009-1 has it (5.3.2, 5.3.9.3): each Period begins at its start, media
 * time `presentationTimeOffset` of its representations. There is no DASH player of others here that does: video.js 7.5
 * puts a Period where the one before ended.
 */
async function fillFromDASH(video, url) {
  const manifest = new DOMParser().parseFromString(await (await fetch(url)).text(), "application/xml");
  const source = new MediaSource();
  video.src = URL.createObjectURL(source);
  await new Promise(resolve => source.addEventListener("sourceopen", resolve, { once: true }));
  source.duration = seconds(manifest.documentElement.getAttribute("mediaPresentationDuration"));
  const type = set => `${set.getAttribute("mimeType")}; codecs="${set.querySelector("Representation").getAttribute("codecs")}"`;
  const periods = [...manifest.querySelectorAll("Period")].map(period => [...period.querySelectorAll("AdaptationSet")]);
  // A browser takes no further buffer once the first has begun.
  const buffers = periods[0].map(set => source.addSourceBuffer(type(set)));
  for (const sets of periods)
    for (const [index, set] of sets.entries()) {
      buffers[index].changeType(type(set));
      await fill(buffers[index], set.querySelector("SegmentList"), seconds(set.parentNode.getAttribute("start")), url);
    }
  source.endOfStream();
}

async function fill(buffer, list, start, url) {
  buffer.timestampOffset = start - Number(list.getAttribute("presentationTimeOffset")) / Number(list.getAttribute("timescale"));
  const init = list.querySelector("Initialization");
  const parts = [[init.getAttribute("sourceURL"), init.getAttribute("range")],
    ...[...list.querySelectorAll("SegmentURL")].map(part => [part.getAttribute("media"), part.getAttribute("mediaRange")])];
  for (const [place, range] of parts) {
    const response = await fetch(new URL(place, url), { headers: { Range: `bytes=${range}` } });
    const done = new Promise((resolve, reject) => { buffer.onupdateend = resolve; buffer.onerror = reject; });
    buffer.appendBuffer(await response.arrayBuffer());
    await done;
  }
}
