#!/bin/bash
# Asks the control API whether the process lives; in real mode it does, and says why it refuses. Without Node: started every
# two seconds in every container, that alone would keep a small machine busy.
exec 3<>"/dev/tcp/127.0.0.1/${BACKLOT_PORT:-4100}" || exit 1
printf 'GET /_backlot/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
IFS= read -r status <&3
[[ $status == "HTTP/1.1 200 "* ]]
