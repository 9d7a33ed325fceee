import type { ProgramBody } from '../../routes/view.ts';
import { firstLine, probeSaid } from './brief.ts';
import { pausedSaid } from './paused.ts';

/** What goes on with a program that nothing is wrong with, in a few words; `""` where that is nothing. */
export function doingOf(p: ProgramBody): string {
  const paused = pausedSaid(p);
  if (paused !== '') return paused;
  if (p.state === 'Created') return 'Never started';
  if (p.state === 'Stopped') return 'Stopped by wish';
  if (p.state === 'Ready') return '';
  const { reason = '', message = '' } = p.conditions.find(({ type }) => type === 'Progressing') ?? {};
  switch (reason) {
    case 'Building':
      return 'Its image is being made';
    case 'Built':
      return 'Its image is there; it starts next';
    case 'WaitingForPort':
      return 'Waits for its port; another gives it up';
    case 'Starting':
      return 'Its container is being started';
    case 'WaitingForReadiness':
      return waiting(p, message);
    case 'Stopping':
      return 'It is being stopped';
    default:
      return firstLine(message);
  }
}

function waiting({ not_ready }: ProgramBody, message: string): string {
  const gets = probeSaid(not_ready?.message || message);
  return gets === '' ? 'Waits for its probe' : `Waits for its probe: ${gets}`;
}
