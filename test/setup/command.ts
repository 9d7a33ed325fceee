import { type SpawnOptions, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Daemons and firewall tools live here, and are on no ordinary user's path. */
const ALSO_LOOK_IN = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

export interface CommandResult {
  /** 127 when there is no such command, 128 + n when signal n ended it. */
  code: number;
  /** Both streams, in order of arrival. */
  output: string;
}

/** Runs a command to its end and never rejects. `onLine` gets each line of output as it comes. */
export function runCommand(
  argv: readonly string[],
  options: SpawnOptions & { onLine?: (line: string) => void } = {},
): Promise<CommandResult> {
  const { onLine, ...spawnOptions } = options;
  const [command = '', ...args] = argv;
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...spawnOptions });
    let output = '';
    let rest = '';
    const take = (piece: Buffer) => {
      output += piece.toString();
      if (!onLine) return;
      const lines = (rest + piece.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line);
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    child.on('error', (error) => resolve({ code: 127, output: `${output}${error.message}` }));
    child.on('close', (code, signal) => {
      if (rest && onLine) onLine(rest);
      resolve({ code: code ?? (signal ? 128 : 1), output });
    });
  });
}

/** The full path of a program, or `undefined`. */
export function findCommand(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...ALSO_LOOK_IN];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

export function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
