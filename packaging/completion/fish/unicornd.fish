# fish completion of unicornd

# -- rows: made by tests/lint/completion.py --update
complete -c unicornd -s c -l config -r -d 'configuration of the site' -F
complete -c unicornd -s t -l test -d 'check the configuration and exit'
complete -c unicornd -s T -l print -d 'check it, print it with all defaults, and exit'
complete -c unicornd -s n -l site -x -d 'name of the site (default: the file\'s name without .conf)'
complete -c unicornd -l socket -r -d 'control socket (default: where unicornctl looks for SITE.sock)' -F
complete -c unicornd -s w -l workers -x -d 'without a file: workers, a number or auto'
complete -c unicornd -s b -l bind -x -d 'without a file: address to listen on; may be repeated'
complete -c unicornd -s s -l set -x -d 'without a file: any setting of a pool; may be repeated' -a 'listeners= command= workers= directory= user= group= umask= environment= environment_file= limits= ready= ready_timeout= min_ready= heartbeat= heartbeat_interval= heartbeat_soft= heartbeat_hard= stop_signal= drain_timeout= abort= abort_timeout= clean_exits= backoff= backoff_reset= give_up= surge= max_unavailable= roll_attempts= roll_timeout= output='
complete -c unicornd -l reload -d 'development: reload when a file changes where the workers start'
complete -c unicornd -l reload-dir -x -d 'the same, but watch this folder instead; may be repeated' -a '(__fish_complete_directories)'
complete -c unicornd -s h -l help -d 'this text'
complete -c unicornd -s V -l version -d 'the version'
# -- end of rows
