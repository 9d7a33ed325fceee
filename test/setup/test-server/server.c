/*
 * The program that tests and benchmarks run inside containers: one static binary on an empty image, so that
 * what is measured is the host and not the program.
 *
 * One thread a connection: simple, and a slow request (/hang, /connect) delays no other. What it does is
 * chosen by environment, so that one image plays every part:
 *
 *   LISTEN=0           never listens           EXIT=<code>        exits at once with that code
 *   EXIT_AFTER_MS=<n>  exits 1 after n ms      IGNORE_TERM=1      takes no notice of SIGTERM
 *   STATUS=<code>      what GET /watcher/status answers (default 200)
 *   LISTEN_AFTER_MS=<n> waits before it listens
 *
 * Routes are listed in route() at the end.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD_BYTES_MAX 65536
#define STACK_BYTES (160 * 1024)

extern char **environ;

typedef struct {
  int fd;
  size_t used;              /* bytes in buffer */
  char buffer[HEAD_BYTES_MAX];
  /* the request at hand */
  size_t head_bytes;
  char method[16];
  char path[4096];
  char query[4096];
  long long content_length; /* -1: none given */
  int chunked;
  int close_after;
  int expects_continue;
  char upgrade[64];
} connection;

static int status_code = 200;

static int env_int(const char *name, int fallback) {
  const char *value = getenv(name);
  return value && *value ? atoi(value) : fallback;
}

static void sleep_ms(int ms) {
  struct timespec span = {ms / 1000, (long)(ms % 1000) * 1000000L};
  nanosleep(&span, NULL);
}

/* ---- bytes in and out ---- */

static int send_all(int fd, const char *data, size_t length) {
  while (length > 0) {
    ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      return -1;
    }
    data += sent;
    length -= (size_t)sent;
  }
  return 0;
}

/* Takes from what was read ahead first. 0 at the end of the stream, -1 on an error. */
static ssize_t take(connection *c, char *into, size_t limit) {
  if (c->used > 0) {
    size_t count = c->used < limit ? c->used : limit;
    memcpy(into, c->buffer, count);
    memmove(c->buffer, c->buffer + count, c->used - count);
    c->used -= count;
    return (ssize_t)count;
  }
  for (;;) {
    ssize_t got = recv(c->fd, into, limit, 0);
    if (got < 0 && errno == EINTR) continue;
    return got;
  }
}

static int take_line(connection *c, char *line, size_t limit) {
  size_t length = 0;
  for (;;) {
    char byte;
    if (take(c, &byte, 1) != 1) return -1;
    if (byte == '\n') break;
    if (byte != '\r' && length + 1 < limit) line[length++] = byte;
  }
  line[length] = 0;
  return (int)length;
}

static const char *phrase(int code) {
  switch (code) {
    case 200: return "OK";
    case 302: return "Found";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 503: return "Service Unavailable";
    default: return "Status";
  }
}

static int answer(connection *c, int code, const char *type, const char *extra, const char *body, size_t length) {
  char head[1024];
  int n = snprintf(head, sizeof head,
                   "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s%s\r\n", code, phrase(code),
                   type, length, extra, c->close_after ? "Connection: close\r\n" : "");
  int with_body = strcmp(c->method, "HEAD") != 0;
  /* One segment where it fits: two small writes would wait for each other. */
  if (with_body && (size_t)n + length <= sizeof head) {
    memcpy(head + n, body, length);
    return send_all(c->fd, head, (size_t)n + length);
  }
  if (send_all(c->fd, head, (size_t)n) < 0) return -1;
  return with_body ? send_all(c->fd, body, length) : 0;
}

static int answer_text(connection *c, int code, const char *text) {
  return answer(c, code, "text/plain; charset=utf-8", "", text, strlen(text));
}

static int answer_errno(connection *c, int error) {
  const char *name = error == 0 ? "ok" : strerrorname_np(error);
  return answer_text(c, 200, name ? name : "unknown");
}

/* ---- reading a request ---- */

static void copy_value(char *into, size_t limit, const char *from) {
  snprintf(into, limit, "%.*s", (int)strcspn(from, "\r\n"), from);
}

/* 1 when a head was read, 0 when the peer is done. */
static int read_head(connection *c) {
  char *end;
  while (!(end = memmem(c->buffer, c->used, "\r\n\r\n", 4))) {
    if (c->used == HEAD_BYTES_MAX) return 0;
    ssize_t got = recv(c->fd, c->buffer + c->used, HEAD_BYTES_MAX - c->used, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return 0;
    c->used += (size_t)got;
  }
  c->head_bytes = (size_t)(end - c->buffer) + 4;
  c->content_length = -1;
  c->chunked = c->close_after = c->expects_continue = 0;
  c->upgrade[0] = c->query[0] = 0;
  char version[16] = "";
  if (sscanf(c->buffer, "%15s %4095s %15s", c->method, c->path, version) != 3) return 0;
  if (strcmp(version, "HTTP/1.0") == 0) c->close_after = 1;
  char *mark = strchr(c->path, '?');
  if (mark) {
    *mark = 0;
    snprintf(c->query, sizeof c->query, "%s", mark + 1);
  }
  for (char *line = memmem(c->buffer, c->head_bytes, "\r\n", 2); line && line + 2 < end;
       line = memmem(line + 2, (size_t)(end - line), "\r\n", 2)) {
    const char *field = line + 2;
    const char *colon = strchr(field, ':');
    if (!colon) continue;
    const char *value = colon + 1 + strspn(colon + 1, " \t");
    if (!strncasecmp(field, "content-length:", 15)) c->content_length = atoll(value);
    else if (!strncasecmp(field, "transfer-encoding:", 18)) c->chunked = !strncasecmp(value, "chunked", 7);
    else if (!strncasecmp(field, "connection:", 11)) c->close_after |= !strncasecmp(value, "close", 5);
    else if (!strncasecmp(field, "expect:", 7)) c->expects_continue = 1;
    else if (!strncasecmp(field, "upgrade:", 8)) copy_value(c->upgrade, sizeof c->upgrade, value);
  }
  return 1;
}

/* The query's value of that name, percent-decoded; "" where there is none. */
static void parameter(connection *c, const char *name, char *into, size_t limit) {
  size_t length = strlen(name), out = 0;
  const char *at = c->query;
  into[0] = 0;
  while (at) {
    if (!strncmp(at, name, length) && at[length] == '=') {
      for (at += length + 1; *at && *at != '&' && out + 1 < limit; at++) {
        unsigned byte;
        if (*at == '%' && sscanf(at + 1, "%2x", &byte) == 1) {
          into[out++] = (char)byte;
          at += 2;
        } else {
          into[out++] = *at == '+' ? ' ' : *at;
        }
      }
      into[out] = 0;
      return;
    }
    at = strchr(at, '&');
    if (at) at++;
  }
}

static int parameter_int(connection *c, const char *name, int fallback) {
  char text[32];
  parameter(c, name, text, sizeof text);
  return text[0] ? atoi(text) : fallback;
}

/* Reads the body to its end; gives each piece to the peer where `echo`. -1 when the peer is gone. */
static int pass_body(connection *c, int echo) {
  char piece[16384], line[64];
  if (c->chunked) {
    for (;;) {
      if (take_line(c, line, sizeof line) < 0) return -1;
      size_t left = strtoul(line, NULL, 16);
      if (left == 0) break;
      while (left > 0) {
        ssize_t got = take(c, piece, left < sizeof piece ? left : sizeof piece);
        if (got <= 0) return -1;
        left -= (size_t)got;
        if (!echo) continue;
        int n = snprintf(line, sizeof line, "%zx\r\n", (size_t)got);
        if (send_all(c->fd, line, (size_t)n) < 0 || send_all(c->fd, piece, (size_t)got) < 0 ||
            send_all(c->fd, "\r\n", 2) < 0)
          return -1;
      }
      if (take_line(c, line, sizeof line) < 0) return -1;
    }
    while (take_line(c, line, sizeof line) > 0) {} /* trailers */
    return echo ? send_all(c->fd, "0\r\n\r\n", 5) : 0;
  }
  for (long long left = c->content_length; left > 0;) {
    ssize_t got = take(c, piece, left < (long long)sizeof piece ? (size_t)left : sizeof piece);
    if (got <= 0) return -1;
    left -= got;
    if (echo && send_all(c->fd, piece, (size_t)got) < 0) return -1;
  }
  return 0;
}

/* ---- what the routes do ---- */

static int echo(connection *c) {
  char head[256];
  int n = c->chunked
              ? snprintf(head, sizeof head,
                         "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
                         "Transfer-Encoding: chunked\r\n\r\n")
              : snprintf(head, sizeof head,
                         "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
                         "Content-Length: %lld\r\n\r\n",
                         c->content_length < 0 ? 0 : c->content_length);
  if (send_all(c->fd, head, (size_t)n) < 0) return -1;
  return pass_body(c, 1);
}

/* 101, and then gives back every byte: enough to prove an upgrade went through. */
static int upgrade(connection *c) {
  char bytes[4096];
  int n = snprintf(bytes, sizeof bytes, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n",
                   c->upgrade);
  if (send_all(c->fd, bytes, (size_t)n) < 0) return -1;
  for (;;) {
    ssize_t got = take(c, bytes, sizeof bytes);
    if (got <= 0 || send_all(c->fd, bytes, (size_t)got) < 0) return -1;
  }
}

/* ?n= pieces, ?ms= apart: whether a stream arrives piece by piece. */
static int stream(connection *c) {
  int count = parameter_int(c, "n", 5), pause_ms = parameter_int(c, "ms", 100);
  const char *head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n";
  if (send_all(c->fd, head, strlen(head)) < 0) return -1;
  for (int i = 0; i < count; i++) {
    char body[32], chunk[64];
    int length = snprintf(body, sizeof body, "piece %d\n", i);
    int n = snprintf(chunk, sizeof chunk, "%x\r\n%s\r\n", (unsigned)length, body);
    if (send_all(c->fd, chunk, (size_t)n) < 0) {
      printf("stream aborted by its reader\n");
      return -1;
    }
    sleep_ms(pause_ms);
  }
  return send_all(c->fd, "0\r\n\r\n", 5);
}

/* ?n= bytes of 'x'. */
static int bytes(connection *c) {
  long long left = parameter_int(c, "n", 1024);
  char block[16384];
  memset(block, 'x', sizeof block);
  int n = snprintf(block, sizeof block,
                   "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %lld\r\n\r\n", left);
  if (send_all(c->fd, block, (size_t)n) < 0) return -1;
  memset(block, 'x', sizeof block);
  while (left > 0) {
    size_t piece = left < (long long)sizeof block ? (size_t)left : sizeof block;
    if (send_all(c->fd, block, piece) < 0) return -1;
    left -= (long long)piece;
  }
  return 0;
}

static int write_file(connection *c) {
  char path[1024], data[1024];
  parameter(c, "path", path, sizeof path);
  parameter(c, "data", data, sizeof data);
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return answer_errno(c, errno);
  const char *content = data[0] ? data : "x";
  int error = write(file, content, strlen(content)) < 0 ? errno : 0;
  if (close(file) < 0 && !error) error = errno;
  return answer_errno(c, error);
}

static int read_file(connection *c) {
  char path[1024], content[8192];
  parameter(c, "path", path, sizeof path);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return answer_errno(c, errno);
  ssize_t got = read(file, content, sizeof content);
  int error = errno;
  close(file);
  if (got < 0) return answer_errno(c, error);
  return answer(c, 200, "text/plain; charset=utf-8", "", content, (size_t)got);
}

/* Whether an address and port answer within a second. Numbers only: there is no resolver in here. */
static int try_connect(connection *c) {
  char host[128];
  parameter(c, "host", host, sizeof host);
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)parameter_int(c, "port", 80))};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = v4.sin_port};
  const struct sockaddr *address = (struct sockaddr *)&v4;
  socklen_t length = sizeof v4;
  if (inet_pton(AF_INET, host, &v4.sin_addr) != 1) {
    if (inet_pton(AF_INET6, host, &v6.sin6_addr) != 1) return answer_errno(c, EINVAL);
    address = (struct sockaddr *)&v6;
    length = sizeof v6;
  }
  int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return answer_errno(c, errno);
  int error = connect(fd, address, length) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    socklen_t size = sizeof error;
    if (poll(&wait, 1, 1000) == 1) getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    else error = ETIMEDOUT;
  }
  close(fd);
  return answer_errno(c, error);
}

static int environment(connection *c) {
  char text[16384];
  size_t length = 0;
  for (char **entry = environ; *entry && length + strlen(*entry) + 2 < sizeof text; entry++)
    length += (size_t)sprintf(text + length, "%s\n", *entry);
  return answer(c, 200, "text/plain; charset=utf-8", "", text, length);
}

static int watcher_status(connection *c) {
  static const char body[] =
      "{\"state\":\"Ready\",\"isRunning\":true,\"watcherID\":\"test-server\",\"uptime\":\"1s\","
      "\"lastUpdate\":\"2026-01-01T00:00:00Z\"}";
  return answer(c, status_code, "application/json", "", body, sizeof body - 1);
}

static int is(connection *c, const char *path) { return strcmp(c->path, path) == 0; }

/* -1 ends the connection. Every route but /echo and /upgrade has its body read and dropped before. */
static int route(connection *c, const char *head) {
  if (is(c, "/watcher/status")) return watcher_status(c);
  if (is(c, "/watcher/message")) {
    printf("message received\n");
    const char *sent = "{\"status\":\"message sent\"}";
    return answer(c, 200, "application/json", "", sent, strlen(sent));
  }
  if (is(c, "/")) return answer_text(c, 200, "hersh test server\n");
  if (is(c, "/env")) return environment(c);
  if (is(c, "/headers")) return answer(c, 200, "text/plain; charset=utf-8", "", head, strlen(head));
  if (is(c, "/redirect")) return answer(c, 302, "text/plain", "Location: /elsewhere\r\n", "", 0);
  if (is(c, "/stream")) return stream(c);
  if (is(c, "/bytes")) return bytes(c);
  if (is(c, "/write")) return write_file(c);
  if (is(c, "/read")) return read_file(c);
  if (is(c, "/connect")) return try_connect(c);
  if (is(c, "/status")) return answer_text(c, parameter_int(c, "code", 200), "as asked\n");
  if (is(c, "/hang")) {
    char byte;
    take(c, &byte, 1); /* until the peer gives up */
    return -1;
  }
  if (is(c, "/drop")) return -1;
  if (is(c, "/uid")) {
    char text[64];
    snprintf(text, sizeof text, "%d:%d", (int)getuid(), (int)getgid());
    return answer_text(c, 200, text);
  }
  if (is(c, "/log")) {
    char line[1024];
    parameter(c, "text", line, sizeof line);
    fprintf(parameter_int(c, "err", 0) ? stderr : stdout, "%s\n", line);
    return answer_text(c, 200, "ok");
  }
  if (is(c, "/crash")) {
    if (strcmp(c->method, "POST")) return answer_text(c, 405, "POST it\n");
    printf("crash asked for\n");
    answer_text(c, 200, "ok");
    _exit(parameter_int(c, "code", 3));
  }
  return answer_text(c, 404, "no such path\n");
}

static int serve_one(connection *c) {
  if (!read_head(c)) return -1;
  char *head = NULL;
  if (is(c, "/headers")) head = strndup(c->buffer, c->head_bytes);
  memmove(c->buffer, c->buffer + c->head_bytes, c->used - c->head_bytes);
  c->used -= c->head_bytes;
  int result = 0;
  if (c->expects_continue) result = send_all(c->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25);
  if (result == 0) {
    if (c->upgrade[0]) result = upgrade(c);
    else if (is(c, "/echo")) result = echo(c);
    else if (pass_body(c, 0) < 0) result = -1;
    else result = route(c, head ? head : "");
  }
  free(head);
  return c->close_after ? -1 : result;
}

static void *serve(void *argument) {
  connection *c = argument;
  while (serve_one(c) == 0) {}
  shutdown(c->fd, SHUT_WR);
  close(c->fd);
  free(c);
  return NULL;
}

static void on_term(int signal_number) {
  (void)signal_number;
  _exit(0);
}

static void *exit_later(void *argument) {
  sleep_ms(*(int *)argument);
  printf("exiting as told by EXIT_AFTER_MS\n");
  _exit(1);
}

static int listen_on(uint16_t port) {
  /* Both families, so that ::1 works too; engines without IPv6 get plain IPv4. */
  int on = 1, off = 0;
  int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0) {
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, (struct sockaddr *)&any, sizeof any) == 0 && listen(fd, 1024) == 0) return fd;
    close(fd);
  }
  fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof any) < 0 || listen(fd, 1024) < 0) {
    perror("listen on 8080");
    exit(1);
  }
  return fd;
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (getenv("EXIT")) {
    printf("exiting as told by EXIT\n");
    return env_int("EXIT", 1);
  }
  signal(SIGTERM, env_int("IGNORE_TERM", 0) ? SIG_IGN : on_term);
  signal(SIGINT, on_term);
  status_code = env_int("STATUS", 200);

  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread;

  static int exit_after_ms;
  exit_after_ms = env_int("EXIT_AFTER_MS", 0);
  if (exit_after_ms > 0) pthread_create(&thread, &attributes, exit_later, &exit_after_ms);
  if (!env_int("LISTEN", 1)) {
    printf("not listening\n");
    for (;;) pause();
  }
  sleep_ms(env_int("LISTEN_AFTER_MS", 0));

  int listener = listen_on(8080);
  printf("listening on 8080\n");
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) continue;
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connection *c = malloc(sizeof *c);
    if (!c) {
      close(fd);
      continue;
    }
    c->fd = fd;
    c->used = 0;
    if (pthread_create(&thread, &attributes, serve, c) != 0) {
      /* The pids limit, mostly: say so instead of leaving the peer to wait. */
      static const char busy[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
      send(fd, busy, sizeof busy - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
      close(fd);
      free(c);
    }
  }
}
