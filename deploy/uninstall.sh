#!/bin/sh
# Ends the services and removes what install.sh has installed. Containers keep their interfaces; settings and data stay.
# With --purge it also removes settings, data, and the network namespaces of Causeway with every interface in them.
#   DESTDIR=/tmp/stage deploy/uninstall.sh     uninstalls below another root directory
set -eu

root=${DESTDIR:-}
purge=no

fail() {
  echo "uninstall.sh: $1" >&2
  exit 2
}

for word in "$@"; do
  case $word in
    --purge) purge=yes ;;
    *) fail "unknown option $word: only --purge is one" ;;
  esac
done
[ -n "$root" ] || [ "$(id -u)" = 0 ] || fail "needs root, or DESTDIR=DIRECTORY to uninstall below one"

if [ -z "$root" ] && [ -d /run/systemd/system ]; then
  systemctl disable --now causeway-agent causeway-manager || true
fi
if [ $purge = yes ] && [ -z "$root" ] && [ -x /usr/bin/causeway-agent ]; then
  data=$(sed -n 's/^CAUSEWAY_DATA_DIR=//p' /etc/causeway/agent.env 2> /dev/null || true)
  /usr/bin/causeway-agent --reset --data-dir "${data:-/var/lib/causeway/agent}"
fi

rm -f "$root/usr/bin/causeway" "$root/usr/bin/causeway-agent" "$root/usr/bin/causeway-manager"
rm -rf "$root/usr/lib/causeway" "$root/usr/share/doc/causeway"
rm -f "$root/etc/systemd/system/causeway-agent.service" "$root/etc/systemd/system/causeway-manager.service"
[ $purge = no ] || rm -rf "$root/etc/causeway" "$root/var/lib/causeway"
[ -n "$root" ] || [ ! -d /run/systemd/system ] || systemctl daemon-reload

if [ $purge = yes ]; then echo "uninstalled, with settings and data"
else echo "uninstalled: settings stay in $root/etc/causeway, data in $root/var/lib/causeway"; fi
