// Tells the thread sanitizer when a parallel section begins and ends. GCC's OpenMP library is not instrumented and waits
// with futexes of its own, so without this everything that a section shares with what runs before or after it would look
// like a race. What the threads of a section do to each other is still seen.
// The linker calls the function below in place of GOMP_parallel (-Wl,--wrap), which all our sections begin with.

extern "C" {
void __tsan_acquire(void* address);
void __tsan_release(void* address);
void __real_GOMP_parallel(void (*body)(void*), void* data, unsigned threads, unsigned flags);
void __wrap_GOMP_parallel(void (*body)(void*), void* data, unsigned threads, unsigned flags);
}

namespace {

struct Section {
  void (*body)(void*);
  void* data;
  char end;
};

// On each thread of the team.
void runSection(void* address) {
  __tsan_acquire(address);
  auto* const section = static_cast<Section*>(address);
  section->body(section->data);
  __tsan_release(&section->end);
}

}  // namespace

void __wrap_GOMP_parallel(void (*body)(void*), void* data, unsigned threads, unsigned flags) {
  Section section{body, data, 0};
  __tsan_release(&section);
  __real_GOMP_parallel(runSection, &section, threads, flags);
  __tsan_acquire(&section.end);
}
