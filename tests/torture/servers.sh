# Servers under load, profiled from start to stop; for torture.sh.  They listen
# on sockets in the work directory, or on 127.0.0.1, and are ended by their own
# means.  Answers that are wrong or missing count, not how many there are.
# shellcheck shell=sh

# NAME PROGRAM…: wanted, and all there?
is_installed()
{
	server=$1
	is_wanted "$server" || return 1
	shift
	for program in "$@"; do
		command -v "$program" >/dev/null 2>&1 && continue
		echo "skipped: $server: $program is not installed (script/install torture)"
		return 1
	done
}

# COMMAND…: repeated until it succeeds, each time for at most 10 s.
wait_until()
{
	await timeout 10 "$@" >/dev/null 2>&1
}

# ENGINE COMMAND…: in the background under tsprof record; see end_server.
start_server()
{
	server_engine=$1
	shift
	rm -f "$work/torture.tsprof"
	record_with "$server_engine" -q -F 10k -o "$work/torture.tsprof" -- \
		timeout -k 5 "$limit_s" "$@" >"$work/server.out" 2>"$work/err" \
		</dev/null &
	recorder=$!
}

# NAME: it has been told to end, and does so as it does without tsprof.
end_server()
{
	status=0
	wait "$recorder" || status=$?
	check_status "$1" 0
	check "$1: a profile" read_profile
}

torture_redis()
{
	is_installed redis redis-server redis-benchmark redis-cli || return 0
	socket=$work/redis.sock
	for engine in $engines; do
		start_server "$engine" redis-server --port 0 --unixsocket "$socket" \
			--save '' --dir "$work" --io-threads 2 --daemonize no
		check "redis, $engine: answers" wait_until redis-cli -s "$socket" ping
		redis-cli -s "$socket" set truth 12345 >"$work/found"
		end=$(($(date +%s) + seconds))
		while [ "$(date +%s)" -lt "$end" ]; do
			timeout 120 redis-benchmark -s "$socket" -q -n 20000 -c 20 -P 8 \
				-t set,get,lpush,lpop >"$work/bench" 2>&1 || break
			redis-cli -s "$socket" bgsave >"$work/bench" # forks
		done
		redis-cli -s "$socket" get truth >>"$work/found"
		printf 'OK\n12345\n' >"$work/expected"
		check "redis, $engine: its data is there" same_text "$work/expected" "$work/found"
		check "redis, $engine: its child has saved" wait_until sh -c \
			"redis-cli -s '$socket' info persistence |
				grep -q 'rdb_bgsave_in_progress:0'"
		redis-cli -s "$socket" shutdown nosave >/dev/null 2>&1
		end_server "redis, $engine"
	done
}

write_nginx_conf()
{
	cat >"$work/nginx.conf" <<EOF
daemon off;
worker_processes 2;
pid $work/nginx.pid;
events { worker_connections 256; }
http {
	access_log off;
	gzip on;
	gzip_types *;
	client_body_temp_path $work/nginx-body;
	proxy_temp_path $work/nginx-proxy;
	fastcgi_temp_path $work/nginx-fastcgi;
	uwsgi_temp_path $work/nginx-uwsgi;
	scgi_temp_path $work/nginx-scgi;
	server { listen 127.0.0.1:$port; root $work/www; }
}
EOF
}

torture_nginx()
{
	PATH=$PATH:/usr/sbin
	is_installed nginx nginx wrk curl || return 0
	port=$((20000 + $$ % 20000))
	mkdir -p "$work/www"
	seq 1 20000 >"$work/www/index.html"
	chmod -R a+rX "$work"
	write_nginx_conf
	for engine in $engines; do
		start_server "$engine" nginx -e "$work/nginx.log" -c "$work/nginx.conf"
		check "nginx, $engine: answers" wait_until curl -sf "http://127.0.0.1:$port/"
		wrk -t 1 -c 16 -d "${seconds}s" --timeout 60s -H 'Accept-Encoding: gzip' \
			"http://127.0.0.1:$port/" >"$work/bench" 2>&1
		check "nginx, $engine: every answer was whole" sh -c \
			"grep -q Requests/sec '$work/bench' &&
				! grep -E 'Non-2xx|Socket errors' '$work/bench'"
		curl -sf "http://127.0.0.1:$port/" >"$work/found"
		check "nginx, $engine: the page is the file" \
			same_text "$work/www/index.html" "$work/found"
		kill -QUIT "$(cat "$work/nginx.pid")"
		end_server "nginx, $engine"
	done
}

# COMMAND…: as a user that postgres accepts; root is none.
as_postgres()
{
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid postgres --regid postgres --clear-groups -- "$@"
	else
		"$@"
	fi
}

# ENGINE
load_postgres()
{
	check "postgres, $1: answers" wait_until psql -h "$work/pg" -U postgres -c 'select 1'
	pgbench -h "$work/pg" -U postgres -i -s 2 -q postgres >"$work/bench" 2>&1
	timeout $((seconds * 2 + 60)) pgbench -h "$work/pg" -U postgres -c 4 -j 2 -T "$seconds" \
		postgres >"$work/bench" 2>&1
	check "postgres, $1: no transaction failed" \
		grep -q 'failed transactions: 0 ' "$work/bench"
	psql -h "$work/pg" -U postgres -At -c \
		'select (select sum(delta) from pgbench_history) =
		 (select sum(abalance) from pgbench_accounts)' >"$work/found" 2>&1
	echo t >"$work/expected"
	check "postgres, $1: the sums agree" same_text "$work/expected" "$work/found"
}

torture_postgres()
{
	bin=$(find /usr/lib/postgresql -name pgbench -printf '%h\n' 2>/dev/null | sort | tail -1)
	PATH=$PATH:${bin:-/usr/bin}
	is_installed postgres postgres pgbench psql initdb setpriv || return 0
	mkdir "$work/pg"
	chmod a+x "$work"
	[ "$(id -u)" -ne 0 ] || chown postgres "$work/pg"
	as_postgres "$bin/initdb" -D "$work/pg/data" -A trust -U postgres -N >"$work/bench" 2>&1 || {
		echo "skipped: postgres: $(tail -1 "$work/bench")"
		return 0
	}
	for engine in $engines; do
		set -- "$bin/postgres" -D "$work/pg/data" -k "$work/pg" \
			-c listen_addresses= -c fsync=off
		[ "$(id -u)" -ne 0 ] ||
			set -- setpriv --reuid postgres --regid postgres --clear-groups -- "$@"
		start_server "$engine" "$@"
		load_postgres "$engine"
		kill -INT "$(head -1 "$work/pg/data/postmaster.pid")"
		end_server "postgres, $engine"
	done
}

torture_servers()
{
	torture_redis
	torture_nginx
	torture_postgres
}
