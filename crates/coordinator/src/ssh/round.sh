set -f
answer=
say() {
answer="$answer$*
"
}
seal() { printf '%s\n' "$2" > "$1/exit.new" && mv "$1/exit.new" "$1/exit"; }
# Whether the process is alive and is the one that was started here, and not a later one of the same number.
ours() {
kill -0 "$2" || return 1
[ -r /proc/self/cmdline ] || return 0
case "$(cat "/proc/$2/cmdline")" in *"$1/job.sh"*) return 0 ;; esac
return 1
}
# index, job folder, output folder, state folder, script
start() {
[ ! -d "$4" ] || return 0
for tool in setsid tar; do
command -v "$tool" >/dev/null || { say "$1" refused "the node has no $tool: install it there"; return 0; }
done
why=$(mkdir -p -- "$2" 2>&1) || { say "$1" refused $why; return 0; }
why=$(mkdir -- "$4" 2>&1) || { [ -d "$4" ] || say "$1" refused $why; return 0; }
mkdir -- "$3" || { seal "$4" "refused the node has $3 already, which is of another coordinator: choose another work folder"; return 0; }
printf '%s' "$5" > "$4/job.sh" || { seal "$4" "refused cannot write $4/job.sh"; return 0; }
setsid sh "$4/job.sh" </dev/null >"$3.log" 2>&1 &
}
# index, job folder, output folder, state folder, signal
stop() {
mkdir -p -- "$2"
if mkdir -- "$4"; then seal "$4" never; return 0; fi
: > "$4/stop"
[ ! -e "$4/exit" ] || return 0
pid=$(cat "$4/pid") && ours "$4" "$pid" && kill -s "$5" -- "-$pid"
}
# index, job folder, output folder, state folder
look() {
[ -d "$4" ] || { say "$1" absent; return 0; }
if [ ! -e "$4/exit" ]; then
pid=$(cat "$4/pid") || { [ -e "$4/exit" ] || { say "$1" claimed; return 0; }; }
if ours "$4" "$pid"; then say "$1" alive; return 0; fi
# It may have ended between the two looks.
[ -e "$4/exit" ] || { say "$1" gone; return 0; }
fi
end=$(cat "$4/exit")
case "$end" in
code*) if [ -e "$3/.done" ]; then say "$1" done "${end#code }"; else say "$1" bare "${end#code }"; fi ;;
*) say "$1" ${end:-gone} ;;
esac
}
