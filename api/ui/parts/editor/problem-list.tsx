import { Button } from '../button.tsx';
import { Sign } from '../glyph.tsx';
import { placeOf, type TextProblem } from './problem.ts';
import { type Repair, repairOf } from './repairs.ts';

interface Props {
  problems: readonly TextProblem[];
  /** The text that they are about. */
  text: string;
  onGoTo: (line: number, column?: number) => void;
  /** Left out where nothing can be changed. */
  onRepair?: (repair: Repair) => void;
}

/** What is wrong, each with the way to its line, and what mends it where that is clear. */
export function ProblemList({ problems, text, onGoTo, onRepair }: Props) {
  return (
    <ol class="problems" aria-live="polite" aria-label="Problems" hidden={problems.length === 0}>
      {problems.map((problem) => (
        <Item key={`${placeOf(problem)} ${problem.message}`} {...{ problem, text, onGoTo, onRepair }} />
      ))}
    </ol>
  );
}

function Item({
  problem,
  text,
  onGoTo,
  onRepair,
}: Omit<Props, 'problems' | 'onRepair'> & { problem: TextProblem; onRepair: Props['onRepair'] | undefined }) {
  const { line, column, message } = problem;
  const repair = onRepair && repairOf(text, problem);
  return (
    <li>
      <Sign role="bad" />
      {line === undefined ? (
        <b>{placeOf(problem)}</b>
      ) : (
        <Button
          kind="text"
          label={`Go to ${placeOf(problem).toLowerCase()}`}
          onClick={() => onGoTo(line, column)}
        >
          {placeOf(problem)}
        </Button>
      )}
      <span>{message}</span>
      {repair && (
        <Button
          kind="small"
          label={`${repair.label}: ${placeOf(problem).toLowerCase()}`}
          onClick={() => onRepair?.(repair)}
        >
          {repair.label}
        </Button>
      )}
    </li>
  );
}
