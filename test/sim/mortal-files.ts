import fs from 'node:fs';
import promises, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

/** What a host's changes of files go through. */
export interface FileRules {
  /** What lies outside is left alone. */
  root: string;
  /** Before and after each change, `file.rename` and the like; the host may be dead afterwards. */
  onStep(name: string, path: string, moment: 'before' | 'after'): void;
  isDead(): boolean;
  /** Whether there is no room for that path, relative to the root. */
  isFull(path: string): boolean;
  /** Whether a write that does not come to its end leaves its first half. */
  leavesHalf(): boolean;
}

type Call = (...args: unknown[]) => Promise<unknown>;

const { renameSync, writeFileSync, createWriteStream } = fs;
const NEVER = new Promise<never>(() => undefined);

/** The file system as people and tests have it, who neither die nor run out of room. */
export const disk = { ...promises };

/** Calls that change something, which of their arguments says what, and whether that takes up room. */
const CHANGES: Record<string, { pathAt: 0 | 1; grows: boolean }> = {
  writeFile: { pathAt: 0, grows: true },
  appendFile: { pathAt: 0, grows: true },
  mkdir: { pathAt: 0, grows: true },
  link: { pathAt: 1, grows: true },
  symlink: { pathAt: 1, grows: true },
  copyFile: { pathAt: 1, grows: true },
  rename: { pathAt: 1, grows: false },
  rm: { pathAt: 0, grows: false },
};

/** There is one file system in a process, and one host at a time that it is spoiled for. */
let current: FileRules | undefined;
let isInstalled = false;
/** What the host has open for writing. */
const handles = new Map<FileHandle, Call>();

/**
 * From now on each change of a file under the root, but for those by way of `disk`, is a host's: a step at which it
 * can die, after which none comes about any more, and which fails where there is no room.
 */
export function followFiles(rules: FileRules | undefined): void {
  current = rules;
  if (isInstalled) return;
  isInstalled = true;
  for (const name of Object.keys(CHANGES))
    Object.assign(promises, { [name]: (...args: unknown[]) => change(name, args) });
  Object.assign(promises, { open: openFile });
  Object.assign(fs, { renameSync: renameNow, writeFileSync: writeNow, createWriteStream: openStream });
  syncBuiltinESMExports();
}

/** Closes what a host that died had open. */
export async function closeFiles(): Promise<void> {
  const left = [...handles.values()];
  handles.clear();
  for (const close of left) await close();
}

function insideOf(rules: FileRules | undefined, path: unknown): string | undefined {
  if (rules === undefined || typeof path !== 'string' || !path.startsWith(`${rules.root}/`)) return undefined;
  return path.slice(rules.root.length + 1);
}

async function change(name: string, args: unknown[]): Promise<unknown> {
  const { pathAt = 0, grows = false } = CHANGES[name] ?? {};
  // Of a folder that is there nothing is made.
  const isMade = name !== 'mkdir' || !fs.existsSync(String(args[0]));
  const act = () => (disk as unknown as Record<string, Call>)[name]?.(...args);
  const rules = current;
  const path = insideOf(rules, args[pathAt]);
  if (rules === undefined || path === undefined) return act();
  const whole = String(args[0]);
  const tear = () => {
    if (name === 'writeFile') writeFileSync(whole, halfOf(args[1]));
    if (name === 'appendFile') fs.appendFileSync(whole, halfOf(args[1]));
  };
  return step(rules, name, path, grows && isMade, act, tear);
}

async function step(
  rules: FileRules,
  name: string,
  path: string,
  grows: boolean,
  act: () => Promise<unknown> | undefined,
  tear: () => void = () => undefined,
): Promise<unknown> {
  if (rules.isDead()) return NEVER;
  rules.onStep(`file.${name}`, path, 'before');
  const isOver = rules.isDead();
  if (isOver || (grows && rules.isFull(path))) {
    if (rules.leavesHalf()) tear();
    if (isOver) return NEVER;
    throw noSpace(name, path);
  }
  try {
    return await act();
  } finally {
    if (!rules.isDead()) rules.onStep(`file.${name}`, path, 'after');
    if (rules.isDead()) await NEVER;
  }
}

async function openFile(path: string, flags: string | number = 'r', mode?: number): Promise<FileHandle> {
  const rules = current;
  const inside = insideOf(rules, path);
  if (rules === undefined || inside === undefined || flags === 'r') return disk.open(path, flags, mode);
  // Numbers are of those that only read.
  const grows = flags !== 'r+' && typeof flags === 'string';
  return (await step(rules, 'open', inside, grows, async () => {
    const handle = await disk.open(path, flags, mode);
    const close = handle.close.bind(handle);
    const write = handle.writeFile.bind(handle);
    handles.set(handle, close);
    return Object.assign(handle, {
      writeFile: (content: string) =>
        step(
          rules,
          'write',
          inside,
          grows,
          () => write(content),
          () => void fs.writeSync(handle.fd, halfOf(content)),
        ),
      close: () => {
        handles.delete(handle);
        return close();
      },
    });
  })) as FileHandle;
}

/** What can not wait ends with an error where the host dies: what comes of that changes nothing any more. */
function renameNow(from: string, to: string): void {
  const rules = current;
  const path = insideOf(rules, to);
  if (rules === undefined || path === undefined) {
    renameSync(from, to);
    return;
  }
  const mustLive = (moment?: 'before' | 'after'): void => {
    if (moment !== undefined && !rules.isDead()) rules.onStep('file.rename', path, moment);
    if (rules.isDead()) throw new Error('the host is dead');
  };
  mustLive('before');
  renameSync(from, to);
  mustLive('after');
}

/** The same of a whole file, of which half may be left, and for which there may be no room. */
function writeNow(path: string, content: unknown, options: object): void {
  const rules = current;
  const inside = insideOf(rules, path);
  const write = (what: unknown) => writeFileSync(path, what as string, options);
  if (rules === undefined || inside === undefined) {
    write(content);
    return;
  }
  const mustLive = (moment?: 'before' | 'after'): void => {
    if (moment !== undefined && !rules.isDead()) rules.onStep('file.write', inside, moment);
    if (rules.isDead()) throw new Error('the host is dead');
  };
  mustLive();
  rules.onStep('file.write', inside, 'before');
  const isFull = !rules.isDead() && rules.isFull(inside);
  if ((rules.isDead() || isFull) && rules.leavesHalf()) write(halfOf(content));
  mustLive();
  if (isFull) throw noSpace('write', inside);
  write(content);
  mustLive('after');
}

type StreamOptions = Exclude<Parameters<typeof createWriteStream>[1], string | undefined>;

function openStream(path: string, options: StreamOptions = {}): fs.WriteStream {
  const rules = current;
  const inside = insideOf(rules, path);
  if (rules === undefined || inside === undefined) return createWriteStream(path, options);
  const open = (...args: Parameters<typeof fs.open>): void => {
    const [given, flags, mode, done] = args as unknown as [
      string,
      string,
      number,
      Parameters<typeof fs.open>[1],
    ];
    if (rules.isDead()) return;
    if (rules.isFull(inside)) process.nextTick(done as (error: Error) => void, noSpace('open', inside));
    else fs.open(given, flags, mode, done as never);
  };
  return createWriteStream(path, { ...options, fs: { ...fs, open } } as never);
}

function halfOf(content: unknown): string {
  const text = typeof content === 'string' ? content : Buffer.from(content as Uint8Array).toString('utf8');
  return text.slice(0, Math.floor(text.length / 2));
}

function noSpace(call: string, path: string): NodeJS.ErrnoException {
  const error: NodeJS.ErrnoException = new Error(`ENOSPC: no space left on device, ${call} '${path}'`);
  return Object.assign(error, { code: 'ENOSPC', errno: -28, syscall: call });
}
