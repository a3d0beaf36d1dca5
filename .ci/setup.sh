#!/usr/bin/env bash
# Installs what Vitrace builds and tests with: Debian packages, and two source packages (nanopb, cmocka) unpacked into
# build/deps because Debian ships no C files of them. Quick when nothing is missing. Arguments: groups of packages,
# any of: core wasm wasi browser model engines border metrics restart.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
deps=$top/build/deps

declare -A group=(
  [core]="build-essential cmake ninja-build pkg-config nanopb python3-protobuf protobuf-compiler libuv1-dev node-llhttp libnghttp2-dev
          libssl-dev libseccomp-dev libdeflate-dev libzstd-dev libsqlite3-dev libyaml-dev libjansson-dev libcmocka-dev strace brotli ca-certificates curl dpkg-dev"
  [wasm]="emscripten binaryen"
  [wasi]="clang lld wasi-libc libclang-rt-14-dev libclang-rt-14-dev-wasm32"
  [browser]="chromium fonts-dejavu-core"
  [model]="spin"
  [engines]="chromium firefox-esr webkit2gtk-driver xvfb"
  [border]="nginx haproxy iproute2"
  [restart]="libfaketime"
  [metrics]="prometheus"
)

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q '^install ok installed$'; }

# A machine may have Node.js from elsewhere (its package then is "nodejs" and brings npm along).
need_node() { command -v node >/dev/null && command -v npm >/dev/null; }

install_packages() {
  local missing=()
  for name in "$@"; do installed "$name" || missing+=("$name"); done
  need_node || missing+=(nodejs npm)
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${#missing[@]} Debian packages: ${missing[*]}"
  as_root apt-get update -q >&2
  DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -q --no-install-recommends "${missing[@]}" >&2
}

# Unpacks a Debian source package into build/deps/NAME, using the machine's own mirror and a private source list.
source_package() {
  local name=$1 probe=$2
  [ -e "$deps/$name/$probe" ] && return 0
  say "fetching the Debian source package $name"
  local work=$deps/.apt uri
  rm -rf "$deps/$name" "$work" && mkdir -p "$deps" "$work/lists/partial"
  sed -E 's/^Types:.*/Types: deb-src/' /etc/apt/sources.list.d/debian.sources >"$work/src.sources" 2>/dev/null ||
    sed -nE 's/^deb /deb-src /p' /etc/apt/sources.list >"$work/src.list"
  local options=(-o "Dir::Etc::sourcelist=/dev/null" -o "Dir::Etc::sourceparts=$work" -o "Dir::State::Lists=$work/lists"
                 -o "APT::Sandbox::User=root" -q)
  (cd "$work" && as_root apt-get "${options[@]}" update >&2 && as_root apt-get "${options[@]}" source --download-only "$name" >&2)
  (cd "$work" && dpkg-source --no-check --skip-patches -x "$name"_*.dsc unpacked >&2 2>/dev/null || dpkg-source --no-check -x "$name"_*.dsc unpacked >&2)
  mv "$work/unpacked" "$deps/$name" && rm -rf "$work"
}

groups=("$@"); [ $# -gt 0 ] || groups=(core wasm wasi browser model engines border metrics restart)
packages=()
for g in "${groups[@]}"; do
  [ -n "${group[$g]:-}" ] || { echo "setup.sh: unknown group '$g' (use: ${!group[*]})" >&2; exit 2; }
  read -r -d '' -a words <<<"${group[$g]}" || true
  packages+=("${words[@]}")
done
install_packages "${packages[@]}"
source_package nanopb pb_encode.c
source_package cmocka src/cmocka.c
