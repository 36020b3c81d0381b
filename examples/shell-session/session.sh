#!/bin/sh
# A day of a thread, as JSON requests from a shell: who comments, votes, flags, moderates and is banned.
#
# Prints each request and its answer. Uses the `nats` command where there is one, else request.py beside this file.
# NATS_URL names the broker, its token before the @; the first argument a site, which is opened if need be.
set -eu

site=${1:-shell}
thread="walk-$(date +%s)-$$"
here=$(dirname "$0")

# ---- three things that every client of Koe needs ----

# A command's id: a UUIDv7 of now. The caller makes it, and sends the same again when no answer came.
new_id() {
    printf '%012x%s' "$(($(date +%s) * 1000))" "$(od -An -N10 -tx1 /dev/urandom | tr -d ' \n')" |
        sed -E 's/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/\1-\2-7\3-8\4-\5/'
}

# The partition of a thread, which a query's subject names: FNV-1a of the site's and the thread's bytes, modulo 64.
partition() {
    hash=2166136261
    for byte in $(printf '%s%s' "$1" "$2" | od -An -v -tu1); do
        hash=$((((hash ^ byte) * 16777619) & 4294967295))
    done
    echo $((hash % 64))
}

# A request and its answer; the answer stays in $answer.
ask() {
    printf '\n> %s\n> %s\n' "$1" "$2"
    if command -v nats >/dev/null; then
        answer=$(nats request --raw -H content-type:application/json "$1" "$2")
    else
        answer=$(python3 "$here/request.py" "$1" "$2")
    fi
    printf '%s\n' "$answer"
}

# A command: the verb, who asks, and the fields that are its own. `wait` so that the next line sees what came of it.
send() {
    id=$(new_id)
    ask "koe.v1.command.$site.$1" "{\"id\": \"$id\", \"actor\": $2, \"wait\": true, $3}"
}

say() {
    printf '\n---- %s\n' "$1"
}

editor='{"id": "editor", "roles": ["ROLE_ADMINISTRATOR"]}'
mia='{"id": "mia", "roles": ["ROLE_MODERATOR"]}'
ann='{"id": "ann"}'
ben='{"id": "ben"}'
in_thread="\"thread\": \"$thread\""

say "An administrator opens the site; at the second run it is open, and the answer says so. Then a thread."
send open-site "$editor" '"name": "The Shell Gazette", "zone": "Europe/Zurich"'
send open-thread "$editor" "$in_thread, \"headline\": \"A walk through Koe\""

say "Ann posts; the comment has the id of her command. Ben replies and quotes her: characters 4 to 11."
send post-comment "$ann" "$in_thread, \"text\": \"The weather was kind.\""
first=$id
quote="{\"comment\": \"$first\", \"start\": 4, \"end\": 11, \"at\": 0}"
send post-comment "$ben" "$in_thread, \"parent\": \"$first\", \"text\": \"It rained.\", \"quotes\": [$quote]"
second=$id

say "Ben votes for what Ann said. Twice is once: a vote is set, not added."
send cast-vote "$ben" "$in_thread, \"comment\": \"$first\", \"vote\": \"VOTE_UP\""
send cast-vote "$ben" "$in_thread, \"comment\": \"$first\", \"vote\": \"VOTE_UP\""
position=$(printf '%s' "$answer" | sed -E 's/.*"position": ?"([^"]*)".*/\1/')

say "The page of the thread, as of that vote or later."
page="koe.v1.query.$site.$(partition "$site" "$thread").thread-page"
ask "$page" "{$in_thread, \"atLeast\": \"$position\", \"viewer\": \"ben\"}"

say "Ann flags the reply, a moderator holds it: its words are gone from the page until it is approved. Ann was wrong."
send flag-comment "$ann" "$in_thread, \"comment\": \"$second\", \"category\": \"FLAG_CATEGORY_OTHER\", \"words\": \"It did not.\""
send hold-comment "$mia" "$in_thread, \"comment\": \"$second\", \"reason\": \"Let me look at the sky.\""
ask "$page" "{$in_thread}"
ask "koe.v1.query.$site.all.queue" '{}'
send approve-comment "$mia" "$in_thread, \"comment\": \"$second\""
send resolve-flags "$mia" "$in_thread, \"comment\": \"$second\", \"upheld\": false"

say "Ben is banned. What he asks for then is refused, with a code that stays the same."
send ban-author "$mia" '"author": "ben", "reason": "It did not rain."'
send post-comment "$ben" "$in_thread, \"text\": \"It did!\""

say "Who decided what, the latest first; and Ben may take part again."
send unban-author "$mia" '"author": "ben", "reason": "It did rain."'
ask "koe.v1.query.$site.all.audit" '{"by": "mia"}'
