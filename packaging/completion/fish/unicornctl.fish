# fish completion of unicornctl

# The options with a value, and what they are worth on this command line.
function __unicornctl_where
    set -l words (commandline -opc)
    for i in (seq 2 (count $words))
        switch $words[$i]
            case --site --socket
                printf '%s\n' $words[$i] $words[(math $i + 1)]
            case '--site=*' '--socket=*'
                printf '%s\n' $words[$i]
        end
    end
end

# The command of this line, or nothing.
function __unicornctl_command
    set -l skip
    for word in (commandline -opc)[2..-1]
        if set -q skip[1]
            set skip
        else if contains -- $word $__unicornctl_valued
            set skip yes
        else if not string match -q -- '-*' $word
            echo $word
            return
        end
    end
end

function __unicornctl_needs_command
    set -l command (__unicornctl_command)
    test -z "$command"
end

function __unicornctl_has
    set -l command (__unicornctl_command)
    test "$command" = $argv[1]
end

# Who runs: "pool app", "slot app/1", "operation r-17", each on a line. Quiet, and no daemon is waited for.
function __unicornctl_running
    set -l program (commandline -opc)[1]
    set -l pool
    $program (__unicornctl_where) --timeout 1s --json status 2>/dev/null | sed -n 's/.*"pools":\[//p' |
        grep -oE '"name":"[A-Za-z0-9_.-]+"|"slot":[0-9]+|"operation":"r-[0-9]+"' | string replace -a '"' '' |
        while read -l line
            set -l parts (string split : $line)
            switch $parts[1]
                case name
                    set pool $parts[2]
                    echo pool $pool
                case slot
                    echo slot $pool/$parts[2]
                case operation
                    echo operation $parts[2]
            end
        end | sort -u
end

function __unicornctl_names
    __unicornctl_running | string replace -rf "^($argv[1]) " ''
end

function __unicornctl_sites
    set -l folder /run/user/(id -u)
    set -q XDG_RUNTIME_DIR; and set folder $XDG_RUNTIME_DIR
    for path in $folder/unicornd/*.sock /tmp/unicornd-(id -u)/*.sock /run/unicornd/*.sock
        string replace -r '.*/(.*)\.sock$' '$1' $path
    end
end

# -- rows: made by tests/lint/completion.py --update
set -g __unicornctl_valued --socket --site --timeout --since
complete -c unicornctl -f
complete -c unicornctl -l json -d 'print the daemon\'s answer as JSON, one message a line'
complete -c unicornctl -l socket -r -d 'talk to the daemon at this socket' -F
complete -c unicornctl -l site -x -d 'talk to the daemon of this site' -a '(__unicornctl_sites)'
complete -c unicornctl -l timeout -x -d 'stop waiting after this time, such as 30s or 1m30s'
complete -c unicornctl -l no-color -d 'no colours on a terminal; also when NO_COLOR is set'
complete -c unicornctl -s h -l help -d 'show this help, or that of the command'
complete -c unicornctl -l version -d 'show the version of unicornctl'
complete -c unicornctl -n __unicornctl_needs_command -a status -d 'show listeners, pools and workers'
complete -c unicornctl -n __unicornctl_needs_command -a reload -d 'read the configuration again and roll a new generation in'
complete -c unicornctl -n '__unicornctl_has reload' -a '(__unicornctl_names pool)' -d 'roll this pool only'
complete -c unicornctl -n '__unicornctl_has reload' -l changed -d 'roll only the pools whose settings differ'
complete -c unicornctl -n '__unicornctl_has reload' -l no-wait -d 'answer at once with the operation\'s id'
complete -c unicornctl -n '__unicornctl_has reload' -l supersede -d 'end a running operation in favour of this one'
complete -c unicornctl -n __unicornctl_needs_command -a scale -d 'change the number of workers of a pool'
complete -c unicornctl -n '__unicornctl_has scale' -a '(__unicornctl_names pool)' -d 'the pool; may be left out when there is only one'
complete -c unicornctl -n '__unicornctl_has scale' -a '(printf "%s\n" +1 -1)' -d 'how many workers, or how many more or less'
complete -c unicornctl -n '__unicornctl_has scale' -l no-wait -d 'answer at once with the operation\'s id'
complete -c unicornctl -n '__unicornctl_has scale' -l supersede -d 'end a running operation in favour of this one'
complete -c unicornctl -n __unicornctl_needs_command -a restart -d 'replace workers by new ones of the same configuration'
complete -c unicornctl -n '__unicornctl_has restart' -a '(__unicornctl_names "pool|slot")' -d 'one pool or one slot; all pools when left out'
complete -c unicornctl -n '__unicornctl_has restart' -l no-wait -d 'answer at once with the operation\'s id'
complete -c unicornctl -n '__unicornctl_has restart' -l supersede -d 'end a running operation in favour of this one'
complete -c unicornctl -n __unicornctl_needs_command -a stop -d 'drain all workers and end the daemon'
complete -c unicornctl -n '__unicornctl_has stop' -l now -d 'kill the workers instead of draining them'
complete -c unicornctl -n '__unicornctl_has stop' -l no-wait -d 'answer at once with the operation\'s id'
complete -c unicornctl -n '__unicornctl_has stop' -l supersede -d 'end a running operation in favour of this one'
complete -c unicornctl -n __unicornctl_needs_command -a events -d 'show what happened'
complete -c unicornctl -n '__unicornctl_has events' -s f -l follow -d 'go on with events as they happen'
complete -c unicornctl -n '__unicornctl_has events' -l since -x -d 'only events after this sequence number'
complete -c unicornctl -n __unicornctl_needs_command -a logs -d 'show the last output of workers'
complete -c unicornctl -n '__unicornctl_has logs' -a '(__unicornctl_names "pool|slot")' -d 'one pool or one slot; all pools when left out'
complete -c unicornctl -n '__unicornctl_has logs' -s f -l follow -d 'go on with output as it is written'
complete -c unicornctl -n __unicornctl_needs_command -a wait -d 'wait for the outcome of an operation'
complete -c unicornctl -n '__unicornctl_has wait' -a '(__unicornctl_names operation)' -d 'the operation, such as r-17'
complete -c unicornctl -n __unicornctl_needs_command -a config -d 'show the configuration that is in effect'
complete -c unicornctl -n __unicornctl_needs_command -a version -d 'show the versions of the daemon and of unicornctl'
# -- end of rows
