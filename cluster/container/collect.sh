#!/bin/sh
# Gather a program and every library that it loads into the folder ROOT, laid out as the root file system of an image
# that holds nothing else: no shell, no package manager, nothing to keep up to date.
#
#     collect.sh PROGRAM ROOT
set -eu

program="$1" root="$2"

mkdir -p "$root/usr/bin" "$root/usr/lib/isomix" "$root/etc"
install -m 0755 "$program" "$root/usr/bin/isomix"
if command -v strip >/dev/null; then strip "$root/usr/bin/isomix"; fi

missing="$(ldd "$program" | sed -n 's/^[[:space:]]*\([^ ]*\) => not found$/\1/p')"
if [ -n "$missing" ]; then
  echo "collect.sh: libraries that $program needs and that are not here:" $missing >&2
  exit 1
fi

# The libraries go into one folder; the loader goes where the program asks for it.
ldd "$program" | sed -n 's/.* => \(\/[^ ]*\) (0x.*/\1/p' | sort -u | while read -r library; do
  install -m 0644 "$library" "$root/usr/lib/isomix/"
done
loader="$(ldd "$program" | sed -n 's/^[[:space:]]*\(\/[^ ]*ld-linux[^ ]*\) (0x.*/\1/p')"
install -D -m 0755 "$loader" "$root$loader"
echo /usr/lib/isomix >"$root/etc/ld.so.conf"
ldconfig -r "$root"

# Files that the C library asks for: who "nonroot" is, and that names are looked up in /etc/hosts and by DNS.
echo 'nonroot:x:65532:65532:isomix:/work:/nonexistent' >"$root/etc/passwd"
echo 'nonroot:x:65532:' >"$root/etc/group"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
install -d -m 0755 -o 65532 -g 65532 "$root/work"
install -d -m 1777 "$root/tmp"
