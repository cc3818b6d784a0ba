/**
 * Text in columns.
 *
 * @module
 */

/** A column: its heading, and whether its cells are numbers and stand right. */
export interface Column {
  readonly heading: string;
  readonly right?: boolean;
}

/**
 * Lines of a table whose columns are as wide as their widest cell; without rows, no lines.
 *
 * @param indent Spaces before each line.
 */
export function tableLines(columns: readonly Column[], rows: readonly (readonly string[])[], indent = 0): string[] {
  if (rows.length === 0) return [];
  const all = [columns.map((column) => column.heading), ...rows];
  const widths = columns.map((_, index) => Math.max(...all.map((row) => row[index]?.length ?? 0)));
  return all.map((row) => " ".repeat(indent) + tableRow(row, columns, widths));
}

/** One line of cells, padded to the given widths. */
export function tableRow(cells: readonly string[], columns: readonly Column[], widths: readonly number[]): string {
  const padded = columns.map((column, index) => {
    const cell = cells[index] ?? "";
    const width = widths[index] ?? 0;
    return column.right ? cell.padStart(width) : cell.padEnd(width);
  });
  return padded.join("  ").trimEnd();
}
