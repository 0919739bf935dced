// In which order are processes shown? Children under their parent, as deep as they stand.

import type { ProcessInfo } from '../../protocol/ProcessInfo';

/** A process at its place in the tree. */
export interface Branch {
  process: ProcessInfo;
  depth: number;
  /** Whether its parent is not among them, and it is not the keeper, whose parent is nobody of theirs. */
  isDetached: boolean;
}

/** The processes in the order of their tree. One whose parent is not among them is a root. */
export function asTree(processes: ProcessInfo[]): Branch[] {
  const pids = new Set(processes.map((process) => process.pid));
  const rows: Branch[] = [];
  const seen = new Set<number>();
  const add = (process: ProcessInfo, depth: number) => {
    if (seen.has(process.pid)) return;
    seen.add(process.pid);
    rows.push({ process, depth, isDetached: process.purpose !== 'keeper' && !pids.has(process.parent) });
    for (const child of processes) if (child.parent === process.pid) add(child, depth + 1);
  };
  for (const process of processes) if (!pids.has(process.parent) || process.parent === process.pid) add(process, 0);
  // What stands in a ring has no root and is shown all the same.
  for (const process of processes) add(process, 0);
  return rows;
}
