/**
 * Calls back when nothing came in time, unless cancelled. What has come by then is read first: a loop that was busy
 * looks at its timers before its sockets, so a timer that is over says nothing of what waits to be read.
 * @returns cancels it
 */
export function timeOut(ms: number, onSilence: () => void): () => void {
  let waiting: NodeJS.Immediate | undefined;
  // Once round: immediates come after sockets were read.
  const timer = setTimeout(() => {
    waiting = setImmediate(onSilence);
  }, ms);
  return () => {
    clearTimeout(timer);
    clearImmediate(waiting);
  };
}
