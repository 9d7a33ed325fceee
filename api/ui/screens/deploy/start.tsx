import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Button } from '../../parts/button.tsx';
import { Unseen } from '../../parts/small.tsx';
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
  try {
    const { exampleFiles } = await import('./examples.ts');
    takeFiles(exampleFiles(name));
  } catch {
    reading.value = { role: 'bad', text: 'The example could not be had: the host does not answer.' };
  }
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

/** Takes what is dropped anywhere on the page. */
export function useDrop(): void {
  useEffect(() => {
    const over = (event: DragEvent) => event.preventDefault();
    const drop = (event: DragEvent) => {
      event.preventDefault();
      const chosen = event.dataTransfer === null ? undefined : dropped(event.dataTransfer);
      if (chosen === undefined) reading.value = { role: 'bad', text: 'That was no file and no folder.' };
      else void takeTree(chosen.tree, { isMore: !chosen.hasFolder && isBegun(draft.peek()) });
    };
    addEventListener('dragover', over);
    addEventListener('drop', drop);
    return () => {
      removeEventListener('dragover', over);
      removeEventListener('drop', drop);
    };
  }, []);
}

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
