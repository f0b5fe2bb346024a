/*
 * A load generator for unary gRPC over mutual TLS: what h2load lacks is a client certificate, and
 * an open loop that counts latency from the moment when a request should have left.
 *
 *   load HOST PORT PATH FRAMES CA CERTIFICATE KEY CONNECTIONS STREAMS SECONDS RATE
 *
 * FRAMES is a file of gRPC frames, one behind the other, which requests send in turn. With RATE 0
 * every stream sends its next request as soon as it is answered (closed loop); with a RATE requests
 * are due evenly spaced, and those for which no stream is free wait for one.
 *
 * Says `ready` once every connection stands, waits for a line, runs, and answers one line of JSON:
 * requests, failed, elapsedSeconds, p50Us, p99Us, maxUs.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64
/* Twice the longest frame of HTTP/2, unless the peer allows longer ones. */
#define OUT_BYTES 32800
#define GRPC_PREFIX_BYTES 5
#define NS_PER_S 1000000000LL
/* How long answers may take to arrive after the last request. */
#define DRAIN_NS (10 * NS_PER_S)

struct frame {
  const uint8_t *bytes;
  size_t length;
};

struct request {
  int64_t due_ns;
  struct frame frame;
  size_t sent;
  int succeeded;
};

struct connection {
  int fd;
  SSL *ssl;
  nghttp2_session *session;
  int in_flight;
  uint8_t out[OUT_BYTES];
  size_t out_length;
  int wants_write;
};

static struct connection connections[CONNECTIONS_MAX];
static int connection_count, stream_count;
static struct frame *frames;
static size_t frame_count, next_frame;
static const char *host, *path;
static double rate;
static int64_t start_ns, end_ns;
static int64_t due_count;
static int total_in_flight;

static uint32_t *latencies_us;
static size_t answered, latencies_room, failed;

static void die(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, errno ? strerror(errno) : "failed");
  ERR_print_errors_fp(stderr);
  exit(1);
}

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void read_frames(const char *file_name) {
  FILE *file = fopen(file_name, "rb");
  if (!file) die(file_name);
  fseek(file, 0, SEEK_END);
  size_t length = (size_t)ftell(file);
  rewind(file);
  uint8_t *bytes = malloc(length);
  if (!bytes || fread(bytes, 1, length, file) != length) die(file_name);
  fclose(file);
  size_t room = 0;
  for (size_t at = 0; at + GRPC_PREFIX_BYTES <= length;) {
    uint32_t message;
    memcpy(&message, bytes + at + 1, sizeof message);
    size_t frame = GRPC_PREFIX_BYTES + ntohl(message);
    if (frame_count == room) {
      room = room ? 2 * room : 64;
      frames = realloc(frames, room * sizeof *frames);
      if (!frames) die("memory");
    }
    frames[frame_count++] = (struct frame){bytes + at, frame};
    at += frame;
  }
  if (frame_count == 0) die("no frames");
}

static ssize_t read_body(nghttp2_session *session, int32_t stream, uint8_t *into, size_t length,
                         uint32_t *flags, nghttp2_data_source *source, void *user) {
  (void)session, (void)stream, (void)user;
  struct request *request = source->ptr;
  size_t left = request->frame.length - request->sent;
  size_t part = left < length ? left : length;
  memcpy(into, request->frame.bytes + request->sent, part);
  request->sent += part;
  if (part == left) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return (ssize_t)part;
}

#define HEADER(name, value) \
  { (uint8_t *)(name), (uint8_t *)(value), strlen(name), strlen(value), NGHTTP2_NV_FLAG_NONE }

static void send_request(struct connection *connection, int64_t due_ns) {
  struct request *request = calloc(1, sizeof *request);
  if (!request) die("memory");
  request->due_ns = due_ns;
  request->frame = frames[next_frame];
  next_frame = (next_frame + 1) % frame_count;
  nghttp2_nv headers[] = {
      HEADER(":method", "POST"),          HEADER(":scheme", "https"),
      HEADER(":authority", host),         HEADER(":path", path),
      HEADER("te", "trailers"),           HEADER("content-type", "application/grpc"),
      HEADER("user-agent", "grpc-load/1")};
  nghttp2_data_provider body = {.source.ptr = request, .read_callback = read_body};
  size_t count = sizeof headers / sizeof *headers;
  if (nghttp2_submit_request(connection->session, NULL, headers, count, &body, request) < 0) {
    die("nghttp2_submit_request");
  }
  connection->in_flight++;
  total_in_flight++;
}

/* Sends what is due: on every free stream in a closed loop, by the clock in an open one. */
static void send_due(int64_t now) {
  for (;;) {
    struct connection *freest = NULL;
    for (int i = 0; i < connection_count; i++) {
      struct connection *each = &connections[i];
      if (each->in_flight < stream_count && (!freest || each->in_flight < freest->in_flight)) {
        freest = each;
      }
    }
    int64_t due_ns = rate > 0 ? start_ns + (int64_t)(due_count * (NS_PER_S / rate)) : now;
    if (!freest || due_ns > now || due_ns >= end_ns) return;
    due_count++;
    send_request(freest, due_ns);
  }
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags,
                     void *user) {
  (void)flags, (void)user;
  if (name_length != 11 || memcmp(name, "grpc-status", 11) != 0) return 0;
  struct request *request = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
  if (request) request->succeeded = value_length == 1 && value[0] == '0';
  return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t error, void *user) {
  struct connection *connection = user;
  struct request *request = nghttp2_session_get_stream_user_data(session, stream);
  if (!request) return 0;
  if (answered == latencies_room) {
    latencies_room = latencies_room ? 2 * latencies_room : 65536;
    latencies_us = realloc(latencies_us, latencies_room * sizeof *latencies_us);
    if (!latencies_us) die("memory");
  }
  latencies_us[answered++] = (uint32_t)((now_ns() - request->due_ns) / 1000);
  if (error != 0 || !request->succeeded) failed++;
  free(request);
  connection->in_flight--;
  total_in_flight--;
  return 0;
}

static void flush(struct connection *connection) {
  connection->wants_write = 0;
  for (;;) {
    /* Frames of one turn share a TLS record. */
    while (connection->out_length < OUT_BYTES / 2) {
      const uint8_t *bytes;
      ssize_t length = nghttp2_session_mem_send(connection->session, &bytes);
      if (length < 0) die("nghttp2_session_mem_send");
      if (length == 0) break;
      if (connection->out_length + (size_t)length > OUT_BYTES) die("a frame that is too long");
      memcpy(connection->out + connection->out_length, bytes, (size_t)length);
      connection->out_length += (size_t)length;
    }
    if (connection->out_length == 0) return;
    int written = SSL_write(connection->ssl, connection->out, (int)connection->out_length);
    if (written <= 0) {
      if (SSL_get_error(connection->ssl, written) != SSL_ERROR_WANT_WRITE) die("SSL_write");
      connection->wants_write = 1;
      return;
    }
    connection->out_length = 0;
  }
}

static void receive(struct connection *connection) {
  uint8_t bytes[OUT_BYTES];
  for (;;) {
    int length = SSL_read(connection->ssl, bytes, sizeof bytes);
    if (length <= 0) {
      if (SSL_get_error(connection->ssl, length) == SSL_ERROR_WANT_READ) return;
      die("the server has closed a connection");
    }
    if (nghttp2_session_mem_recv(connection->session, bytes, (size_t)length) < 0) {
      die("nghttp2_session_mem_recv");
    }
  }
}

static SSL_CTX *tls(const char *ca, const char *certificate, const char *key) {
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  if (!context || SSL_CTX_load_verify_locations(context, ca, NULL) != 1) die(ca);
  if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1) die(certificate);
  if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) die(key);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
  SSL_CTX_set_alpn_protos(context, (const uint8_t *)"\x02h2", 3);
  SSL_CTX_set_mode(context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return context;
}

static void open_connection(struct connection *connection, SSL_CTX *context, int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  if (inet_pton(AF_INET, host, &address.sin_addr) != 1) die(host);
  connection->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(connection->fd, (struct sockaddr *)&address, sizeof address) != 0) die("connect");
  int yes = 1;
  setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  connection->ssl = SSL_new(context);
  X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection->ssl), host);
  SSL_set_fd(connection->ssl, connection->fd);
  if (SSL_connect(connection->ssl) != 1) die("TLS handshake");
  fcntl(connection->fd, F_SETFL, O_NONBLOCK);

  nghttp2_session_callbacks *callbacks;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
  nghttp2_session_client_new(&connection->session, callbacks, connection);
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_settings_entry window = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 20};
  nghttp2_submit_settings(connection->session, NGHTTP2_FLAG_NONE, &window, 1);
  nghttp2_session_set_local_window_size(connection->session, NGHTTP2_FLAG_NONE, 0, 1 << 30);
  flush(connection);
}

static void wait_for_events(int64_t until_ns) {
  struct pollfd polled[CONNECTIONS_MAX];
  for (int i = 0; i < connection_count; i++) {
    short events = POLLIN | (connections[i].wants_write ? POLLOUT : 0);
    polled[i] = (struct pollfd){connections[i].fd, events, 0};
  }
  int64_t left = until_ns - now_ns();
  if (left < 0) left = 0;
  struct timespec timeout = {left / NS_PER_S, left % NS_PER_S};
  if (ppoll(polled, (nfds_t)connection_count, &timeout, NULL) < 0) die("ppoll");
  for (int i = 0; i < connection_count; i++) {
    if (polled[i].revents) receive(&connections[i]);
  }
}

static void run(double seconds) {
  start_ns = now_ns();
  end_ns = start_ns + (int64_t)(seconds * NS_PER_S);
  for (;;) {
    int64_t now = now_ns();
    if (now < end_ns || rate > 0) send_due(now);
    for (int i = 0; i < connection_count; i++) flush(&connections[i]);
    int all_sent = rate > 0 ? due_count >= (int64_t)(rate * seconds) : now >= end_ns;
    if (all_sent && total_in_flight == 0) return;
    if (now > end_ns + DRAIN_NS) die("answers are missing");
    int64_t due_ns = rate > 0 ? start_ns + (int64_t)(due_count * (NS_PER_S / rate)) : end_ns;
    /* A request that is due and has no stream is woken by an answer. */
    wait_for_events(due_ns > now && due_ns < end_ns ? due_ns : now + NS_PER_S / 10);
  }
}

static int ascending(const void *a, const void *b) {
  uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  return left < right ? -1 : left > right;
}

int main(int argc, char **argv) {
  if (argc != 12) {
    fprintf(stderr, "usage: see the top of load.c\n");
    return 2;
  }
  host = argv[1];
  path = argv[3];
  read_frames(argv[4]);
  SSL_CTX *context = tls(argv[5], argv[6], argv[7]);
  connection_count = atoi(argv[8]);
  if (connection_count < 1 || connection_count > CONNECTIONS_MAX) die("CONNECTIONS");
  stream_count = atoi(argv[9]);
  rate = atof(argv[11]);
  for (int i = 0; i < connection_count; i++) {
    open_connection(&connections[i], context, atoi(argv[2]));
  }
  printf("ready\n");
  fflush(stdout);
  if (getchar() == EOF) return 1;
  run(atof(argv[10]));
  double elapsed = (double)(now_ns() - start_ns) / NS_PER_S;
  if (answered == 0) die("no answers");
  qsort(latencies_us, answered, sizeof *latencies_us, ascending);
  printf("{\"requests\":%zu,\"failed\":%zu,\"elapsedSeconds\":%.6f,", answered, failed, elapsed);
  printf("\"p50Us\":%u,\"p99Us\":%u,\"maxUs\":%u}\n", latencies_us[answered / 2],
         latencies_us[answered * 99 / 100], latencies_us[answered - 1]);
  return 0;
}
