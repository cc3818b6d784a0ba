/**
 * What a layout of a control-flow graph is. Laying out is left to a library of the caller's choice.
 *
 * @module
 */

/** A box to be placed, in pixels. */
export interface GraphBox {
  /** From left to right. */
  readonly width: number;
  /** From top to bottom. */
  readonly height: number;
}

/** A point, in pixels; y grows downwards. */
export interface GraphPoint {
  /** From the left. */
  readonly x: number;
  /** From the top. */
  readonly y: number;
}

/** A line between two boxes, by their index. */
export interface GraphLine {
  /** Where it begins. */
  readonly from: number;
  /** Where its arrow points. */
  readonly to: number;
}

/** Where all of it is. */
export interface GraphLayout {
  /** Top left corner of each box. */
  readonly boxes: readonly GraphPoint[];
  /** The points of each line, from the border of one box to that of the other. */
  readonly lines: readonly (readonly GraphPoint[])[];
  /** Width of the whole. */
  readonly width: number;
  /** Height of the whole. */
  readonly height: number;
}

/** Places boxes and lines; box 0 is the entry. */
export type LayOutGraph = (boxes: readonly GraphBox[], lines: readonly GraphLine[]) => GraphLayout;
