/*
 * A load generator for HTTP/1.1 in a closed loop, with requests that were made beforehand.
 *
 *   load HOST PORT REQUESTS CONNECTIONS SECONDS
 *
 * REQUESTS is a file of requests as they are on the wire, each behind its length (4 bytes, big
 * endian), which connections send in turn. A connection that the server closes behind an answer is
 * opened again. Says `ready` once every connection stands, waits for a
 * line, runs, and answers one line of JSON: requests, failed, elapsedSeconds, p50Us, p99Us.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 256
#define ANSWER_BYTES_MAX 65536
#define NS_PER_S 1000000000LL

struct request {
  const char *bytes;
  size_t length;
};

struct connection {
  char answer[ANSWER_BYTES_MAX + 1];
  size_t answered;
  int64_t sent_ns;
};

static struct request *requests;
static size_t request_count, next_request;
static struct connection connections[CONNECTIONS_MAX];
static struct pollfd polled[CONNECTIONS_MAX];
static uint32_t *latencies_us;
static size_t done, room, failed;

static void die(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, errno ? strerror(errno) : "failed");
  exit(1);
}

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void read_requests(const char *file_name) {
  FILE *file = fopen(file_name, "rb");
  if (!file) die(file_name);
  fseek(file, 0, SEEK_END);
  size_t length = (size_t)ftell(file);
  rewind(file);
  char *bytes = malloc(length);
  if (!bytes || fread(bytes, 1, length, file) != length) die(file_name);
  fclose(file);
  for (size_t at = 0; at + 4 <= length;) {
    uint32_t size;
    memcpy(&size, bytes + at, sizeof size);
    size = ntohl(size);
    requests = realloc(requests, (request_count + 1) * sizeof *requests);
    if (!requests) die("memory");
    requests[request_count++] = (struct request){bytes + at + 4, size};
    at += 4 + size;
  }
  if (request_count == 0) die("no requests");
}

static void open_connection(int at, const char *host, int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  if (inet_pton(AF_INET, host, &address.sin_addr) != 1) die(host);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) die("connect");
  int yes = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  polled[at] = (struct pollfd){fd, POLLIN, 0};
}

static void send_next(int at) {
  struct request request = requests[next_request];
  next_request = (next_request + 1) % request_count;
  connections[at].answered = 0;
  connections[at].sent_ns = now_ns();
  for (size_t sent = 0; sent < request.length;) {
    ssize_t part = write(polled[at].fd, request.bytes + sent, request.length - sent);
    if (part <= 0) die("write");
    sent += (size_t)part;
  }
}

/* Whether the answer is there in full. */
static int receive(int at) {
  struct connection *connection = &connections[at];
  ssize_t length = read(polled[at].fd, connection->answer + connection->answered,
                        ANSWER_BYTES_MAX - connection->answered);
  if (length <= 0) die("the server has closed a connection");
  connection->answered += (size_t)length;
  connection->answer[connection->answered] = 0;
  char *body = strstr(connection->answer, "\r\n\r\n");
  if (!body) return 0;
  char *header = strcasestr(connection->answer, "\r\ncontent-length:");
  if (!header || header > body) die("an answer without content-length");
  size_t whole = (size_t)(body + 4 - connection->answer) + (size_t)atol(header + 17);
  return connection->answered >= whole;
}

/* Some servers close a connection behind each answer. */
static void reopen_if_closed(int at, const char *host, int port) {
  if (!strcasestr(connections[at].answer, "\r\nconnection: close")) return;
  close(polled[at].fd);
  open_connection(at, host, port);
}

static void count(int at) {
  if (done == room) {
    room = room ? 2 * room : 65536;
    latencies_us = realloc(latencies_us, room * sizeof *latencies_us);
    if (!latencies_us) die("memory");
  }
  latencies_us[done++] = (uint32_t)((now_ns() - connections[at].sent_ns) / 1000);
  if (strncmp(connections[at].answer + 8, " 200 ", 5) != 0) failed++;
}

static int ascending(const void *a, const void *b) {
  uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  return left < right ? -1 : left > right;
}

int main(int argc, char **argv) {
  if (argc != 6) {
    fprintf(stderr, "usage: see the top of load.c\n");
    return 2;
  }
  read_requests(argv[3]);
  int connection_count = atoi(argv[4]);
  if (connection_count < 1 || connection_count > CONNECTIONS_MAX) die("CONNECTIONS");
  for (int at = 0; at < connection_count; at++) open_connection(at, argv[1], atoi(argv[2]));
  printf("ready\n");
  fflush(stdout);
  if (getchar() == EOF) return 1;
  int64_t start_ns = now_ns(), end_ns = start_ns + (int64_t)(atof(argv[5]) * NS_PER_S);
  int open = connection_count;
  for (int at = 0; at < connection_count; at++) send_next(at);
  while (open > 0) {
    if (poll(polled, (nfds_t)connection_count, 10000) <= 0) die("answers are missing");
    for (int at = 0; at < connection_count; at++) {
      if (!(polled[at].revents & POLLIN) || !receive(at)) continue;
      count(at);
      if (now_ns() < end_ns) {
        reopen_if_closed(at, argv[1], atoi(argv[2]));
        send_next(at);
      } else {
        polled[at].events = 0;
        open--;
      }
    }
  }
  double elapsed = (double)(now_ns() - start_ns) / NS_PER_S;
  qsort(latencies_us, done, sizeof *latencies_us, ascending);
  printf("{\"requests\":%zu,\"failed\":%zu,\"elapsedSeconds\":%.6f,", done, failed, elapsed);
  printf("\"p50Us\":%u,\"p99Us\":%u}\n", latencies_us[done / 2], latencies_us[done * 99 / 100]);
  return 0;
}
