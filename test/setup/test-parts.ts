import type { Part } from './built-tests.ts';
import { unitParts } from './unit-parts.ts';
import { processTestFiles, unitTestFiles } from './unit-test-files.ts';

/**
 * What takes longest, and so begins first: the last to end would else run alone. The others follow in the order of
 * their names.
 */
export const LONGEST = [
  ...['test/chaos/engine-restart.test.ts', 'test/sim/simulation.test.ts', 'test/engine/exec.test.ts'],
  ...['test/engine/docker-contract.test.ts'],
  ...['test/e2e/builds.test.ts', 'test/e2e/hershctl-pipe.test.ts', 'test/page/many-rows.test.ts'],
  ...['test/chaos/healing.test.ts', 'test/page/screens.test.ts', 'test/page/program.test.ts'],
  ...['test/e2e/command.test.ts', 'test/e2e/host.test.ts', 'test/e2e/pull-policy.test.ts'],
];
/** Processes for all that start git or Node. */
const PROCESSES = 3;

/** Which test files run in one process, in the order in which they are to begin, which is that of their names. */
export function partsOf(files: readonly string[]): Part[] {
  const unit = among(files, unitTestFiles());
  const starting = among(files, processTestFiles());
  const together = new Set([...unit, ...starting]);
  const longest = among(LONGEST, files);
  const others = files.filter((file) => !together.has(file) && !longest.includes(file));
  const parts: Part[] = [
    ...split('process', starting, PROCESSES),
    ...longest.map(alone),
    ...unitParts(unit),
    ...others.map(alone),
  ];
  // Node's runner sorts what it is given.
  const digits = `${parts.length}`.length;
  return parts.map(({ name, ...part }, at) => ({
    name: `${`${at}`.padStart(digits, '0')}-${name}`,
    ...part,
  }));
}

function among(files: readonly string[], others: readonly string[]): string[] {
  return files.filter((file) => others.includes(file));
}

function alone(file: string): Part {
  return {
    name: file
      .replace(/^test\//, '')
      .replace(/\.test\.ts$/, '')
      .replaceAll('/', '-'),
    files: [file],
  };
}

function split(name: string, files: readonly string[], count: number): Part[] {
  return Array.from({ length: count }, (_, part) => ({
    name: `${name}-${part + 1}`,
    files: files.filter((_, index) => index % count === part),
  })).filter((part) => part.files.length > 0);
}
