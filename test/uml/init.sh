#!/bin/sh
# First process of a User-Mode Linux guest whose root is the machine's (hostfs). Runs the program that the kernel's command
# line names, prints its exit code, and powers off. Writes to /run and to the logs go to memory, not to the machine.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/log
# modprobe gets a module directory of its own: the machine's modules are for another kernel, and may be absent.
mkdir -p /run/modules/lib/modules
ln -s "/usr/lib/uml/modules/$(uname -r)" "/run/modules/lib/modules/$(uname -r)"
# The value of "name=" in the kernel's command line.
told() { sed -n "s/.*$1=\([^ ]*\).*/\1/p" /proc/cmdline; }
for module in $(told uml_modules | tr ',' ' '); do
  modprobe -d /run/modules "$module" || echo "uml: no module $module"
done
ip link set lo up
"$(told uml_node)" "$(told uml_program)" 2>&1
echo "uml: exit $?"
echo o > /proc/sysrq-trigger
sleep 5
