"""Configurations of the peers in front of `backend` (host:port, for HAProxy also a list): the same work as Skiff's edge does.

That is its header fields and a line for each request. The long lines are formats that can't be split.
"""


def haproxy(folder, port, backend, threads, full):
    """HAProxy with pooled connections to the backend; `full`: header fields and access lines as ours.

    The lines go to a file through standard output: it costs less than a ring with a server, or UDP.
    """
    fields = """
    http-request set-header X-Forwarded-For %[src]
    http-request set-header X-Forwarded-Proto http
    http-request set-header X-Forwarded-Port %[dst_port]
    http-request set-header X-Request-Id %[uuid()]
    http-request set-header X-Request-Start %[date(0,ms)]
    http-request add-header Via "1.1 bench"
    http-request capture hdr(X-Request-Id) len 40
    log-format "at=info method=%HM path=\\"%HU\\" host=%[capture.req.hdr(1)] request_id=%[capture.req.hdr(0)] fwd=\\"%ci\\" dyno=%s connect=%Tc service=%Tr status=%ST bytes=%B protocol=http"
    http-request capture hdr(Host) len 64
    log global""" if full else ""
    backends = [backend] if isinstance(backend, str) else backend
    servers = "\n".join(f"    server web.{number} {address} pool-max-conn 1000" for number, address in enumerate(backends, 1))
    path = folder / f"haproxy-{port}.cfg"
    path.write_text(f"""global
    nbthread {threads}
    maxconn 8000
    {"log stdout format raw local0" if full else ""}
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout http-keep-alive 60s
    http-reuse always
    option http-keep-alive
frontend bench
    bind 127.0.0.1:{port}{fields}
    default_backend pods
backend pods
{servers}
""")
    return ["haproxy", "-db", "-f", path]


def nginx(folder, port, backend, threads, full):
    """nginx with pooled connections to the backend; `full`: header fields and buffered access lines as ours."""
    fields = """
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Port $server_port;
      proxy_set_header X-Request-Id $request_id;
      proxy_set_header X-Request-Start $msec;
      proxy_set_header Via "1.1 bench";""" if full else ""
    log = f"{folder}/nginx-access.log router buffer=64k flush=1s" if full else "off"
    path = folder / f"nginx-{port}.conf"
    path.write_text(f"""daemon off;
worker_processes {threads};
pid {folder}/nginx-{port}.pid;
error_log {folder}/nginx-error.log error;
events {{ worker_connections 8000; }}
http {{
  log_format router 'at=info method=$request_method path="$request_uri" host=$host request_id=$request_id fwd="$remote_addr" dyno=web.1 connect=$upstream_connect_time service=$upstream_response_time status=$status bytes=$body_bytes_sent protocol=$scheme';
  access_log {log};
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  tcp_nodelay on;
  keepalive_timeout 60s;
  keepalive_requests 100000000;
  upstream pods {{
    server {backend};
    keepalive 256;
    keepalive_requests 100000000;
  }}
  server {{
    listen 127.0.0.1:{port} reuseport;
    location / {{
      proxy_pass http://pods;
      proxy_http_version 1.1;
      proxy_set_header Connection "";{fields}
    }}
  }}
}}
""")
    return ["nginx", "-c", path, "-e", f"{folder}/nginx-error.log"]


def file_nginx(folder, port, root, threads):
    """nginx alone, serving files as the static buildpack's does: sendfile, the access line to nowhere."""
    path = folder / f"nginx-files-{port}.conf"
    path.write_text(f"""daemon off;
user root;
worker_processes {threads};
pid {folder}/nginx-files.pid;
error_log {folder}/nginx-error.log error;
events {{ worker_connections 8000; }}
http {{
  types {{ text/html html; image/jpeg jpg; }}
  access_log off;
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_timeout 60s;
  keepalive_requests 100000000;
  server {{
    listen 127.0.0.1:{port} reuseport;
    root {root};
  }}
}}
""")
    return ["nginx", "-c", path, "-e", f"{folder}/nginx-error.log"]
