#!/bin/sh
# Installs the bundled programs (npm run bundle) on this host, with systemd units and their settings. Existing settings
# are kept. The installed files do not need the clone afterwards. Run this script again to upgrade.
#   DESTDIR=/tmp/stage deploy/install.sh     installs below another root directory
set -eu

from=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
root=${DESTDIR:-}

fail() {
  echo "install.sh: $1" >&2
  exit 1
}

[ -e "$from/dist/lib/causeway/causeway.mjs" ] || fail "there are no programs in $from/dist: run \"npm run bundle\" there first"
[ -n "$root" ] || [ "$(id -u)" = 0 ] || fail "needs root, or DESTDIR=DIRECTORY to install below one"

mkdir -p "$root/usr/bin" "$root/usr/lib" "$root/etc/systemd/system" "$root/etc/causeway" "$root/usr/share/doc/causeway"
# The new folder replaces the old folder by rename, so that a program that starts meanwhile finds all its files.
rm -rf "$root/usr/lib/causeway.new" "$root/usr/lib/causeway.old"
cp -R "$from/dist/lib/causeway" "$root/usr/lib/causeway.new"
[ ! -e "$root/usr/lib/causeway" ] || mv "$root/usr/lib/causeway" "$root/usr/lib/causeway.old"
mv "$root/usr/lib/causeway.new" "$root/usr/lib/causeway"
rm -rf "$root/usr/lib/causeway.old"
for program in causeway causeway-agent causeway-manager; do
  ln -sfn "../lib/causeway/$program.mjs" "$root/usr/bin/$program"
done
install -m 0644 "$from"/deploy/systemd/*.service "$root/etc/systemd/system/"
install -m 0644 "$from/docs/operations.md" "$from/docs/cli.md" "$root/usr/share/doc/causeway/"
for settings in "$from"/deploy/systemd/*.env; do
  there=$root/etc/causeway/${settings##*/}
  [ -e "$there" ] || install -m 0600 "$settings" "$there"
done
[ -n "$root" ] || [ ! -d /run/systemd/system ] || systemctl daemon-reload

echo "installed: \"causeway init\" founds a cluster on this host, \"causeway join ADDRESS --token TOKEN\" makes this host a member of one"
