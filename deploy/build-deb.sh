#!/bin/sh
# Builds the Debian packages causeway, causeway-agent and causeway-manager from the bundled programs (npm run bundle).
#   deploy/build-deb.sh [DIRECTORY]     where the packages go; dist/deb unless given
set -eu

from=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
out=${1:-$from/dist/deb}
lib=$from/dist/lib/causeway

fail() {
  echo "build-deb.sh: $1" >&2
  exit 1
}

[ -e "$lib/causeway.mjs" ] || fail "there are no programs in $from/dist: run \"npm run bundle\" there first"
command -v dpkg-deb > /dev/null || fail "dpkg-deb is missing: packages are built on Debian, or where its package dpkg is installed"

version=$(node "$lib/causeway.mjs" --version)
architecture=$(dpkg --print-architecture)
# Equal sources make equal packages: files are as old as the last commit.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$from" log -1 --format=%ct 2> /dev/null || date +%s)}
export SOURCE_DATE_EPOCH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"

# $1: name of the package. $2…: what of the program's folder is its own, beside the program itself.
stage() {
  package=$1
  shift
  root=$work/$package
  mkdir -p "$root/DEBIAN" "$root/usr/bin" "$root/usr/lib/causeway" "$root/usr/share/doc/$package"
  cp "$lib/$package.mjs" "$root/usr/lib/causeway/"
  ln -s "../lib/causeway/$package.mjs" "$root/usr/bin/$package"
  for path in "$@"; do
    mkdir -p "$root/usr/lib/causeway/$(dirname "$path")"
    cp -R "$lib/$path" "$root/usr/lib/causeway/$path"
  done
  cat "$from/LICENSE" "$lib/THIRD-PARTY-LICENSES" > "$root/usr/share/doc/$package/copyright"
  sed "s/@VERSION@/$version/; s/@ARCHITECTURE@/$architecture/" "$from/deploy/debian/$package.control" > "$root/DEBIAN/control"
}

# $1: name of the package. $2: the file of its settings.
add_service() {
  root=$work/$1
  mkdir -p "$root/usr/lib/systemd/system" "$root/etc/causeway"
  cp "$from/deploy/systemd/$1.service" "$root/usr/lib/systemd/system/"
  install -m 0600 "$from/deploy/systemd/$2" "$root/etc/causeway/$2"
  echo "/etc/causeway/$2" > "$root/DEBIAN/conffiles"
  for script in postinst prerm; do
    sed "s/@PACKAGE@/$1/g; s/@SETTINGS@/$2/g" "$from/deploy/debian/service.$script" > "$root/DEBIAN/$script"
  done
  cp "$from/deploy/debian/$1.postrm" "$root/DEBIAN/postrm"
  chmod 0755 "$root/DEBIAN/postinst" "$root/DEBIAN/prerm" "$root/DEBIAN/postrm"
}

build() {
  root=$work/$1
  chmod -R u=rwX,go=rX "$root/usr" "$root/DEBIAN"
  (cd "$root" && find usr -type f | LC_ALL=C sort | xargs md5sum > DEBIAN/md5sums)
  dpkg-deb --root-owner-group --build "$root" "$out"
}

stage causeway
cp "$from/docs/operations.md" "$from/docs/cli.md" "$work/causeway/usr/share/doc/causeway/"
mkdir -p "$work/causeway/usr/share/bash-completion/completions"
node "$lib/causeway.mjs" completion bash > "$work/causeway/usr/share/bash-completion/completions/causeway"
build causeway

stage causeway-agent node_modules/koffi node_modules/@koromix
add_service causeway-agent agent.env
build causeway-agent

stage causeway-manager node_modules/@causeway node_modules/@grpc node_modules/grpc-health-check
add_service causeway-manager manager.env
build causeway-manager
