/* Many callers on one core: epoll, raw TCP and hand-made WebSocket frames. Compiled at run time by Bun (`callers.ts`), without headers. */
typedef unsigned char u8;
typedef unsigned long size_t;
extern int epoll_create1(int), epoll_ctl(int, int, int, void *), epoll_wait(int, void *, int, int);
extern int socket(int, int, int), connect(int, const void *, unsigned), setsockopt(int, int, int, const void *, unsigned);
extern int shutdown(int, int), close(int), clock_gettime(int, void *);
extern long send(int, const void *, size_t, int), recv(int, void *, size_t, int);
extern void *calloc(size_t, size_t), *memcpy(void *, const void *, size_t), *memset(void *, int, size_t);
extern void free(void *);
extern size_t strlen(const char *);

#define BUCKETS 20
#define PACKET_MS 20.0
#define LATE_MS 20.0
#define SENT_LATE_MS 5.0
/* A pause in the agent's audio from which the next is another reply. */
#define REPLY_GAP_MS 400.0
#define SAMPLES_PER_MS 16.0
#define PING_EVERY 50
/* Length of {"type":"pong","id":7}; no other message of the server is so short. */
#define PONG_BYTES 22
#define RING 256
#define MAX_CALLERS 8192
#define HISTOGRAM 20000
#define DONTWAIT_NOSIGNAL 0x4040

#ifdef __x86_64__
struct __attribute__((packed)) epoll_event { unsigned events; void *data; };
#else
struct epoll_event { unsigned events; void *data; };
#endif
struct address { unsigned short family, port; unsigned ip; u8 zero[8]; };
struct time { long seconds, nanoseconds; };

enum { SHAKING, OPEN, CLOSING };
typedef struct {
  int fd, state, position, skip, headerBytes, matched;
  u8 header[4];
  const u8 *rest;
  int restBytes;
  unsigned sent, answered;
  double playEndMs, audioAtMs;
  double sentAt[RING];
} Caller;

/* In the order of `FIELDS` in callers.ts. */
enum { SENT, SENT_LATE, ANSWERED, ANSWERED_LATE, STALLED, AUDIO_BYTES, SENT_BYTES, UNDERRUNS, CLOSED, OPENED, FIELDS };

static Caller *callers[MAX_CALLERS];
static int count, poll, isEcho, port, frameBytes, frameCount, next;
static const u8 *frames;
static double dueMs;
static double stats[FIELDS];
static int histogram[HISTOGRAM];
static u8 buffer[262144];
static u8 ping[64], bye[64];
static int pingBytes, byeBytes;

static double now(void) {
  struct time t;
  clock_gettime(1, &t);
  return t.seconds * 1000.0 + t.nanoseconds / 1e6;
}

/* A client frame with the mask 0, which leaves the payload as it is. */
static int textFrame(u8 *out, const char *text) {
  int bytes = strlen(text);
  out[0] = 0x81;
  out[1] = 0x80 | bytes;
  memset(out + 2, 0, 4);
  memcpy(out + 6, text, bytes);
  return bytes + 6;
}

/* `frames` holds `frameCount` whole client frames of `frameBytes` and must stay where it is. */
void callersSetup(const u8 *theFrames, int bytes, int howMany, int echo, int thePort) {
  frames = theFrames;
  frameBytes = bytes;
  frameCount = howMany;
  isEcho = echo;
  port = thePort;
  poll = epoll_create1(0);
  pingBytes = textFrame(ping, "{\"type\":\"ping\",\"id\":7}");
  byeBytes = textFrame(bye, "{\"type\":\"bye\"}");
}

/* Returns 0 when the connection was refused. It is open when the handshake was answered: see OPENED. */
int callersAdd(int position) {
  const char *hello = "GET /call?rate=16000 HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
  struct address to;
  struct epoll_event event;
  int one = 1;
  Caller *caller = calloc(1, sizeof(Caller));
  memset(&to, 0, sizeof to);
  to.family = 2;
  to.port = (unsigned short)((port >> 8) | (port << 8));
  to.ip = 0x0100007f;
  caller->fd = socket(2, 1, 0);
  if (count == MAX_CALLERS || caller->fd < 0 || connect(caller->fd, &to, sizeof to) != 0) return 0;
  setsockopt(caller->fd, 6, 1, &one, sizeof one);
  caller->position = position;
  event.events = 1;
  event.data = caller;
  epoll_ctl(poll, 1, caller->fd, &event);
  send(caller->fd, hello, strlen(hello), DONTWAIT_NOSIGNAL);
  callers[count++] = caller;
  return 1;
}

/* The last caller hangs up. */
void callersRemove(void) {
  Caller *caller = callers[--count];
  if (!isEcho && caller->state == OPEN) send(caller->fd, bye, byeBytes, DONTWAIT_NOSIGNAL);
  caller->state = CLOSING;
  shutdown(caller->fd, 1);
}

static void answered(Caller *caller, double ms) {
  double took = ms - caller->sentAt[caller->answered++ % RING];
  int place = (int)(took * 20);
  stats[ANSWERED]++;
  if (took > LATE_MS || caller->sent - caller->answered >= RING) stats[ANSWERED_LATE]++;
  histogram[place < 0 ? 0 : place >= HISTOGRAM ? HISTOGRAM - 1 : place]++;
}

static void frame(Caller *caller, int opcode, int bytes, double ms) {
  if (opcode == 2) {
    stats[AUDIO_BYTES] += bytes;
    if (!isEcho) {
      if (ms > caller->playEndMs && ms - caller->audioAtMs < REPLY_GAP_MS) stats[UNDERRUNS]++;
      caller->playEndMs = (ms > caller->playEndMs ? ms : caller->playEndMs) + bytes / 2 / SAMPLES_PER_MS;
      caller->audioAtMs = ms;
    }
  }
  if (isEcho ? opcode == 2 : opcode == 1 && bytes == PONG_BYTES) answered(caller, ms);
}

static void received(Caller *caller, const u8 *data, int bytes, double ms) {
  int at = 0;
  while (at < bytes && caller->state == SHAKING) {
    caller->matched = data[at] == "\r\n\r\n"[caller->matched] ? caller->matched + 1 : data[at] == '\r';
    at++;
    if (caller->matched < 4) continue;
    caller->state = OPEN;
    stats[OPENED]++;
  }
  while (at < bytes) {
    int length;
    if (caller->skip > 0) {
      int step = caller->skip < bytes - at ? caller->skip : bytes - at;
      caller->skip -= step;
      at += step;
      continue;
    }
    caller->header[caller->headerBytes++] = data[at++];
    if (caller->headerBytes < 2) continue;
    length = caller->header[1] & 127;
    if (length == 126 && caller->headerBytes < 4) continue;
    caller->headerBytes = 0;
    caller->skip = length == 126 ? caller->header[2] << 8 | caller->header[3] : length;
    frame(caller, caller->header[0] & 15, caller->skip, ms);
  }
}

static int put(Caller *caller, const u8 *data, int bytes) {
  long taken = send(caller->fd, data, bytes, DONTWAIT_NOSIGNAL);
  if (taken < 0) taken = 0;
  caller->rest = data + taken;
  caller->restBytes = bytes - taken;
  stats[SENT_BYTES] += taken;
  return caller->restBytes == 0;
}

static void sendPacket(Caller *caller) {
  int index = caller->position++ % frameCount;
  stats[SENT]++;
  if (caller->restBytes > 0 && !put(caller, caller->rest, caller->restBytes)) {
    stats[STALLED]++;
    return;
  }
  if (isEcho) caller->sentAt[caller->sent++ % RING] = now();
  if (!put(caller, frames + (long)index * frameBytes, frameBytes)) return;
  if (isEcho || caller->position % PING_EVERY != 0) return;
  caller->sentAt[caller->sent++ % RING] = now();
  put(caller, ping, pingBytes);
}

/* Sends what is due and takes what comes, for `ms`. */
void callersRun(double ms) {
  static struct epoll_event events[512];
  double until = now() + ms;
  if (dueMs == 0) dueMs = now();
  for (;;) {
    double at = now();
    int i, n;
    for (; dueMs <= at; dueMs += PACKET_MS / BUCKETS, next = (next + 1) % BUCKETS) {
      double late = now() - dueMs;
      for (i = next; i < count; i += BUCKETS) {
        if (callers[i]->state != OPEN) continue;
        if (late > SENT_LATE_MS) stats[SENT_LATE]++;
        sendPacket(callers[i]);
      }
    }
    if (at >= until) return;
    n = epoll_wait(poll, events, 512, dueMs - now() > 0.3 ? 1 : 0);
    for (i = 0; i < n; i++) {
      Caller *caller = events[i].data;
      long bytes = recv(caller->fd, buffer, sizeof buffer, DONTWAIT_NOSIGNAL);
      if (bytes > 0) {
        received(caller, buffer, bytes, now());
        continue;
      }
      close(caller->fd);
      if (caller->state == CLOSING) free(caller);
      else {
        caller->state = CLOSING;
        stats[CLOSED]++;
      }
    }
  }
}

double callersStat(int field) { return stats[field]; }
/* Time within which `share` of the answers came, ms; -1 without answers. */
double callersAnswerMs(double share) {
  double seen = 0;
  int i;
  for (i = 0; i < HISTOGRAM; i++) {
    seen += histogram[i];
    if (seen > 0 && seen >= share * stats[ANSWERED]) return (i + 1) / 20.0;
  }
  return -1;
}
void callersBegin(void) {
  memset(stats, 0, sizeof stats);
  memset(histogram, 0, sizeof histogram);
}
