#!/usr/bin/busybox sh
# The first program of a virtual machine: mounts what BPF needs, runs /job.sh as root, says with which code it ended,
# sends the files in /out over the port that files go out by, and switches the machine off.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb NO_COLOR=1
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /dev/shm /dev/pts /out
mount -t tmpfs shm /dev/shm
mount -t devpts pts /dev/pts
mount -t debugfs debugfs /sys/kernel/debug
mount -t tracefs tracefs /sys/kernel/tracing
mount -t bpf bpffs /sys/fs/bpf
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t securityfs securityfs /sys/kernel/security 2>/dev/null
ip link set lo up
for module in /modules/*.ko; do
  [ -f "$module" ] && insmod "$module"
done
hostname vm
# What a login shell has, so that tests find the limits that users have.
ulimit -l 64
echo "VM-UP $(cut -d' ' -f1 /proc/uptime) $(uname -r)"
# Through a pipe: programs that see a terminal draw progress over and over.
{ sh /job.sh 2>&1; echo $? >/job.code; } | cat
code=$(cat /job.code)
echo "VM-EXIT $code $(cut -d' ' -f1 /proc/uptime)"
if [ -n "$(ls -A /out)" ]; then
  if [ -c "$VM_FILES" ]; then
    stty -F "$VM_FILES" raw -echo 2>/dev/null
    tar -C /out -cf - . | gzip -1 >"$VM_FILES"
  else
    echo "VM-NO-FILES: this kernel has no $VM_FILES"
  fi
fi
sync
poweroff -f
