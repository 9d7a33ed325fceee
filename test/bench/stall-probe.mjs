// Loaded into a host before anything of its own, by stall-watch.ts: tells its parent, when asked, how long its event
// loop came to nothing.
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** A timer this often; what it is late by is told with it. */
const RESOLUTION_MS = 5;

if (process.send !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  process.on('message', () => {
    // Not at once: of a stall that has just ended the timer does not know yet.
    setTimeout(() => {
      process.send(delay.max / 1e6);
      delay.reset();
    }, 2 * RESOLUTION_MS);
  });
  // Whoever asks keeps no host alive.
  process.channel.unref();
}
