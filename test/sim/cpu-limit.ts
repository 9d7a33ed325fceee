/**
 * What a process may compute, in seconds, before the kernel ends it: a story that turns for ever is found, and one on a
 * busy machine, which only waits for its turn, is not taken for it. One that waits for nothing ends by itself.
 */
const CPU_S_MAX = 1_200;

/** The command and arguments that run Node with these under that limit. */
export function limitedNode(...args: string[]): [command: string, argv: string[]] {
  return ['sh', ['-c', `ulimit -t ${CPU_S_MAX} && exec "$@"`, 'sh', process.execPath, ...args]];
}
