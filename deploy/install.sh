#!/bin/sh
# Puts the built clone it lies in to use on this host: the programs' names into /usr/bin, systemd's units, and settings to
# fill in, which it never overwrites. The clone stays where it is: upgrade it there, and run this again.
#   DESTDIR=/tmp/stage deploy/install.sh     the same below another root
set -eu

from=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
root=${DESTDIR:-}

fail() {
  echo "install.sh: $1" >&2
  exit 1
}

[ -e "$from/services/manager/dist/main.js" ] || fail "$from is not built: run \"npm run setup\" there first"
[ -n "$root" ] || [ "$(id -u)" = 0 ] || fail "needs root, or DESTDIR=DIRECTORY to install below one"

mkdir -p "$root/usr/bin" "$root/etc/systemd/system" "$root/etc/causeway"
ln -sfn "$from/services/ctl/bin/causeway.js" "$root/usr/bin/causeway"
ln -sfn "$from/services/agent/bin/causeway-agent.js" "$root/usr/bin/causeway-agent"
ln -sfn "$from/services/manager/bin/causeway-manager.js" "$root/usr/bin/causeway-manager"
install -m 0644 "$from"/deploy/systemd/*.service "$root/etc/systemd/system/"
for settings in "$from"/deploy/systemd/*.env; do
  there=$root/etc/causeway/${settings##*/}
  [ -e "$there" ] || install -m 0600 "$settings" "$there"
done
[ -n "$root" ] || [ ! -d /run/systemd/system ] || systemctl daemon-reload

echo "installed from $from: fill in $root/etc/causeway/agent.env (and manager.env), then systemctl enable --now causeway-agent"
