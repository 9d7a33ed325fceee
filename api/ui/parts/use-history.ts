import { useEffect } from 'preact/hooks';
import { followHistory, type History, historyOf } from '../state/history.ts';

/** What is kept of a program, kept up to date while the component is there. */
export function useHistory(name: string): History {
  useEffect(() => followHistory(name), [name]);
  return historyOf(name).value;
}
