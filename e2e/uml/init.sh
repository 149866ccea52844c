#!/bin/sh
# First process of a User-Mode Linux guest whose root is the machine's (hostfs): runs the program that the kernel's command
# line names, says how it ended, and powers off. What would be written to the machine's /run and logs goes to memory.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/log
# modprobe finds modules under a root of its own: the machine's are of another kernel, and may be absent.
mkdir -p /run/modules/lib/modules
ln -s "/usr/lib/uml/modules/$(uname -r)" "/run/modules/lib/modules/$(uname -r)"
# What the kernel's command line says after "name=".
told() { sed -n "s/.*$1=\([^ ]*\).*/\1/p" /proc/cmdline; }
for module in $(told uml_modules | tr ',' ' '); do
  modprobe -d /run/modules "$module" || echo "uml: no module $module"
done
ip link set lo up
"$(told uml_node)" "$(told uml_program)" 2>&1
echo "uml: exit $?"
echo o > /proc/sysrq-trigger
sleep 5
