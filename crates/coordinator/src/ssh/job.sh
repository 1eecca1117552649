# Set, not ignored: this shell outlives a polite end to write down how the job took it; the job itself hears it.
trap : TERM
seal() { printf '%s\n' "$1" > "$state/exit.new" && mv "$state/exit.new" "$state/exit"; }
refuse() { seal "refused $1"; exit 1; }
printf '%s\n' "$$" > "$state/pid.new" && mv "$state/pid.new" "$state/pid" || refuse 'cannot write in the state folder'
# After the pid is told: whoever stops the job either sees the pid or is seen here.
[ ! -e "$state/stop" ] || { seal never; exit 0; }
