import { type IgnoreRules, readDockerignore } from '../../../../registry/contexts/dockerignore.ts';
import { createWork } from '../../../../registry/contexts/work.ts';
import { gitsOwn } from '../../../../schemas/names-of-git.ts';
import { BODY_BYTES_MAX, FILES_MAX } from './limits.ts';
import type { TreeFile, TreeFolder } from './tree.ts';

/** Names that are looked at before it is given up: a home folder has millions. */
const LOOKED_MAX = 50_000;
/** An ignore file that is longer is no list that somebody wrote, in bytes. */
const IGNORE_BYTES_MAX = 1024 * 1024;
/** Named of what is large. */
const LARGEST_MAX = 5;
/** Files that the browser is asked for together. */
const AT_ONCE = 200;
/** Told of what is left out, and of folders with a Dockerfile. */
const TOLD_MAX = 200;

export type WhyLeftOut = '.dockerignore' | 'git' | 'modules';

export interface LeftOut {
  /** Of a folder it ends with `/`. */
  name: string;
  why: WhyLeftOut;
}

/** What was found in a folder. Sizes are known, and nothing but the ignore file was read. */
export interface Walked {
  files: readonly { name: string; blob: Blob }[];
  bytes: number;
  leftOut: readonly LeftOut[];
  /** What takes up most, the largest first. */
  largest: readonly { name: string; bytes: number }[];
  /** Folders further down with a Dockerfile in them. */
  dockerfiles: readonly string[];
  /** What is wrong with the ignore file, or `""`; nothing is left out by it then. */
  ignoreError: string;
  /** Files that could not be looked at. */
  unread: readonly string[];
  /** `files`: more than are taken; `names`: too many names to look at. Then the rest was not looked at. */
  isOver: '' | 'files' | 'names';
}

/** @param withModules whether `node_modules` are sent */
export async function walk(root: TreeFolder, { withModules = false } = {}): Promise<Walked> {
  const walker = new Walker(withModules);
  await walker.readIgnore(root);
  await walker.folder(root, '');
  return walker.result();
}

interface Wanted {
  node: TreeFile;
  name: string;
}

class Walker {
  private readonly files: { name: string; blob: Blob }[] = [];
  private readonly leftOut: LeftOut[] = [];
  private readonly unread: string[] = [];
  private readonly dockerfiles: string[] = [];
  private rules: IgnoreRules | undefined;
  private ignoreError = '';
  private looked = 0;
  private isOver: Walked['isOver'] = '';

  constructor(private readonly withModules: boolean) {}

  result(): Walked {
    const { files, leftOut, unread, dockerfiles, ignoreError, isOver } = this;
    files.sort((one, other) => order(one.name, other.name));
    const bytes = files.reduce((sum, { blob }) => sum + blob.size, 0);
    const largest = bytes <= BODY_BYTES_MAX && isOver === '' ? [] : largestOf(files);
    return { files, bytes, leftOut, largest, dockerfiles, ignoreError, unread, isOver };
  }

  async readIgnore(root: TreeFolder): Promise<void> {
    const nodes = await root.children();
    const find = (name: string) =>
      nodes.find((node): node is TreeFile => node.name === name && !node.isFolder);
    // The first that exists counts, as with Docker.
    const file = find('Dockerfile.dockerignore') ?? find('.dockerignore');
    if (file === undefined) return;
    try {
      const blob = await file.blob();
      if (blob.size > IGNORE_BYTES_MAX) throw new Error('it is larger than 1 MiB');
      this.rules = await readDockerignore(await blob.text(), createWork(turn));
    } catch (error) {
      this.giveUpRules(error);
    }
  }

  async folder(folder: TreeFolder, path: string): Promise<void> {
    const nodes = await folder.children().catch(() => {
      this.unread.push(`${path}/`);
      return [];
    });
    const wanted: Wanted[] = [];
    for (const node of nodes) {
      if (this.isOver !== '') break;
      this.looked += 1;
      if (this.looked > LOOKED_MAX) this.isOver = 'names';
      // Names mean the same file on every machine only in this form, and the host takes no other.
      const name = (path === '' ? node.name : `${path}/${node.name}`).normalize('NFC');
      if (node.isFolder) await this.inner(node, name);
      else if (await this.isWanted(node, name)) wanted.push({ node, name });
    }
    await this.take(wanted);
  }

  /** The browser takes a while for each, and is asked for many at once. */
  private async take(wanted: readonly Wanted[]): Promise<void> {
    if (this.files.length + wanted.length > FILES_MAX) this.isOver ||= 'files';
    const some = wanted.slice(0, FILES_MAX - this.files.length);
    for (let at = 0; at < some.length; at += AT_ONCE) {
      const blobs = some.slice(at, at + AT_ONCE).map(async ({ node, name }) => {
        const blob = await node.blob().catch(() => undefined);
        if (blob === undefined) this.unread.push(name);
        else this.files.push({ name, blob });
      });
      await Promise.all(blobs);
    }
  }

  private async inner(node: TreeFolder, name: string): Promise<unknown> {
    if (gitsOwn(node.name) !== undefined) return this.leave(`${name}/`, 'git');
    if (node.name === 'node_modules' && !this.withModules) return this.leave(`${name}/`, 'modules');
    if ((await this.isIgnored(name, true)) && this.rules?.mayLetIn(name) !== true)
      return this.leave(`${name}/`, '.dockerignore');
    return this.folder(node, name);
  }

  private async isWanted(node: TreeFile, name: string): Promise<boolean> {
    if (name.includes('/') && node.name === 'Dockerfile')
      told(this.dockerfiles, name.replace(/\/Dockerfile$/, ''));
    // A work tree of git has a file of that name.
    if (gitsOwn(node.name) !== undefined) return this.leave(name, 'git');
    if (ALWAYS.has(name) || !(await this.isIgnored(name, false))) return true;
    return this.leave(name, '.dockerignore');
  }

  private async isIgnored(name: string, isFolder: boolean): Promise<boolean> {
    try {
      return (await this.rules?.leavesOut(name, isFolder)) ?? false;
    } catch (error) {
      this.giveUpRules(error);
      return false;
    }
  }

  private giveUpRules(error: unknown): void {
    this.rules = undefined;
    this.ignoreError = error instanceof Error ? error.message : String(error);
  }

  private leave(name: string, why: WhyLeftOut): false {
    if (this.leftOut.length < TOLD_MAX) this.leftOut.push({ name, why });
    return false;
  }
}

/** What the build is made by is sent, whatever the rules say of it: they are about what it may copy. */
const ALWAYS = new Set(['Dockerfile', '.dockerignore', 'Dockerfile.dockerignore']);

const turn = () => new Promise<void>((resolve) => setTimeout(resolve));

function told(list: string[], name: string): void {
  if (list.length < TOLD_MAX) list.push(name);
}

/** The Dockerfile first, then by name. */
export function order(one: string, other: string): number {
  if (one === other) return 0;
  if (one === 'Dockerfile') return -1;
  return other === 'Dockerfile' || one > other ? 1 : -1;
}

/** Files and folders of the top, by what is in them. */
function largestOf(files: readonly { name: string; blob: Blob }[]): { name: string; bytes: number }[] {
  const sums = new Map<string, number>();
  for (const { name, blob } of files) {
    const slash = name.indexOf('/');
    const key = slash === -1 ? name : name.slice(0, slash + 1);
    sums.set(key, (sums.get(key) ?? 0) + blob.size);
  }
  return [...sums]
    .map(([name, bytes]) => ({ name, bytes }))
    .sort((one, other) => other.bytes - one.bytes)
    .slice(0, LARGEST_MAX);
}
