# After the package is removed, and not after it is replaced: folders that only it had, as far as nobody else put something in.
if [ "$1" -eq 0 ]; then
  find /usr/lib/Outrigger /usr/share/doc/outrigger -depth -type d -empty -delete 2>/dev/null || :
fi
