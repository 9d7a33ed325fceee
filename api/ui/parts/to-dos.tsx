import type { ToDo } from '../words/reason-words.ts';
import { Says } from './says.tsx';

/** What somebody can do about what is wrong. */
export function ToDos({ list }: { list: readonly ToDo[] }) {
  if (list.length === 0) return null;
  return (
    <ul class="todo">
      {list.map(([what, how]) => (
        <li key={what}>
          <b>{what}</b>
          <Says words={how} />
        </li>
      ))}
    </ul>
  );
}
