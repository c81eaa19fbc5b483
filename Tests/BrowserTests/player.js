// Plays a manifest with video.js, a player that is not ours, and notes every frame that is shown.

/** {frames: [[width, number], …] in the order they were shown, decoded, error} once it ended. */
window.playManifest = (url, type) => new Promise(resolve => {
  const element = Object.assign(document.createElement("video"), { className: "video-js", muted: true, width: 640, height: 480 });
  document.body.replaceChildren(element);
  const player = videojs(element, { html5: { hls: { overrideNative: true }, nativeAudioTracks: false, nativeVideoTracks: false } });
  const frames = [];
  const end = error => {
    const video = player.el().querySelector("video");
    resolve({ frames, decoded: video.getVideoPlaybackQuality().totalVideoFrames, error: error ?? "" });
  };
  player.on("error", () => end(player.error().message));
  player.on("ended", () => end());
  player.ready(() => {
    const video = player.el().querySelector("video");
    const look = () => {
      frames.push([video.videoWidth, frameIn(video, video.videoWidth, video.videoHeight)]);
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
    player.src({ src: url, type });
    player.play();
  });
});
