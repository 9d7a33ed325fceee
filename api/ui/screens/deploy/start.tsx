import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Button } from '../../parts/button.tsx';
import { Unseen } from '../../parts/small.tsx';
import { entriesOf, takeHanded } from '../../state/handed.ts';
import { whyMissing } from '../../state/missing.ts';
import { apply, draft, reading, takeFiles, takeTree } from './deploy-state.ts';
import { isBegun } from './draft.ts';
import { dropped } from './dropped.ts';
import { firstDockerfile } from './first-dockerfile.ts';
import { treeOf } from './tree.ts';

const EXAMPLES = [
  ['counter', 'Node, counts in /state, can crash on request'],
  ['trading-sim', 'Go, the WatcherAPI, commands by message'],
  ['static-site', 'Node, serves a folder'],
] as const;

/** Where nothing was chosen yet. */
export function Start() {
  return (
    <div class="start">
      <DropZone>
        <p>
          <b>Drop a folder here</b>
        </p>
        <p class="do">
          <Pick isFolder>Choose a folder</Pick> <Pick>Choose files</Pick>
        </p>
        <p class="note">
          A Dockerfile and what it needs. .dockerignore is honoured; 32 MiB at most. Files are read here and
          sent only when you deploy.
        </p>
      </DropZone>
      <h3>Or begin with</h3>
      <ul class="examples">
        {EXAMPLES.map(([name, what]) => (
          <li key={name}>
            <Button kind="text" onClick={() => void takeExample(name)}>
              {name}
            </Button>
            <span class="note">{what}</span>
          </li>
        ))}
        <li>
          <Button
            kind="text"
            onClick={() => apply({ kind: 'write', name: 'Dockerfile', text: firstDockerfile([]) })}
          >
            A Dockerfile
          </Button>
          <span class="note">Write it here</span>
        </li>
      </ul>
    </div>
  );
}

async function takeExample(name: string): Promise<void> {
  const examples = await import('./examples.ts').catch(() => undefined);
  if (examples !== undefined) {
    reading.value = undefined;
    takeFiles(examples.exampleFiles(name));
    return;
  }
  const again = () => void takeExample(name);
  reading.value = { role: 'missing', why: await whyMissing(), again };
}

/** Where to drop: the whole page takes it, so that a hand that slips does not open the file instead of the page. */
function DropZone({ children }: { children: ComponentChildren }) {
  const [isOver, setOver] = useState(false);
  return (
    <div
      class={`drop big${isOver ? ' over' : ''}`}
      onDragOver={() => setOver(true)}
      onDragLeave={() => setOver(false)}
      onDrop={() => setOver(false)}
    >
      {children}
    </div>
  );
}

/** Takes what is dropped anywhere on the page, and what was dropped where it led here. */
export function useDrop(): void {
  useEffect(() => {
    const handed = takeHanded();
    if (handed !== undefined) takeDropped(handed);
    const over = (event: DragEvent) => {
      if (!isTextForField(event)) event.preventDefault();
    };
    const drop = (event: DragEvent) => {
      if (isTextForField(event)) return;
      event.preventDefault();
      // An editor that it is dropped on would take it for text.
      event.stopPropagation();
      takeDropped(entriesOf(event.dataTransfer));
    };
    addEventListener('dragover', over, true);
    addEventListener('drop', drop, true);
    return () => {
      removeEventListener('dragover', over, true);
      removeEventListener('drop', drop, true);
    };
  }, []);
}

function takeDropped(entries: readonly FileSystemEntry[]): void {
  const chosen = dropped(entries);
  if (chosen === undefined) reading.value = { role: 'bad', text: 'That was no file and no folder.' };
  else void takeTree(chosen.tree, { isMore: !chosen.hasFolder && isBegun(draft.peek()) });
}

/** Words that are drawn from one place of a text to another. */
function isTextForField(event: DragEvent): boolean {
  const target = event.composedPath()[0];
  const isField = target instanceof Node && elementOf(target)?.closest('input, textarea, [contenteditable]');
  return Boolean(isField) && event.dataTransfer?.types.includes('Files') === false;
}

const elementOf = (node: Node) => (node instanceof Element ? node : node.parentElement);

interface PickProps {
  children: string;
  isFolder?: boolean;
  /** Whether it comes beside what is there. */
  isMore?: boolean;
  kind?: string;
}

/** A button that asks the browser for a folder, or for files. */
export function Pick({ children, isFolder = false, isMore = false, kind = '' }: PickProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button kind={kind} onClick={() => input.current?.click()}>
        {children}
      </Button>
      <label hidden>
        <Unseen>{children}</Unseen>
        <input
          ref={input}
          type="file"
          multiple
          {...(isFolder ? { webkitdirectory: true } : {})}
          onChange={({ currentTarget }) => {
            const list = [...(currentTarget.files ?? [])];
            const chosen = list.map((file) => ({ path: file.webkitRelativePath || file.name, blob: file }));
            // The same folder again is a change too.
            currentTarget.value = '';
            if (chosen.length > 0) void takeTree(treeOf(chosen), { isMore });
          }}
        />
      </label>
    </>
  );
}
