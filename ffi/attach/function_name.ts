/**
 * Names of kernel functions as section names and options have them: `function`, `module:function`, `function+0x10`.
 *
 * @module
 */
import { UnsupportedError } from "../../lib/errors.ts";

/** A kernel function, and a place in it. */
export interface FunctionName {
  /** Its module; `undefined` if it is not said. */
  readonly module: string | undefined;
  /** Its name: `do_unlinkat`. */
  readonly name: string;
  /** Bytes from where it begins. */
  readonly offset: number;
}

const FORM = /^(?:([\w-]+):)?([A-Za-z_.$][\w.$]*)(?:\+(0x[0-9a-f]+|\d+))?$/i;

/**
 * Takes such a name apart; `vmlinux:` stands for the kernel itself.
 *
 * @param place What a message begins with: `program "p"`.
 * @throws {UnsupportedError} if it is none: no kernel has it.
 */
export function parseFunctionName(text: string, place: string): FunctionName {
  const [whole, module, name = "", offset = "0"] = FORM.exec(text) ?? [];
  if (whole === undefined) {
    throw new UnsupportedError(
      `function ${text}`,
      `${place}: a function is named FUNCTION, MODULE:FUNCTION or FUNCTION+OFFSET, not "${text}"`,
    );
  }
  return { module: module === "vmlinux" ? undefined : moduleName(module), name, offset: Number(offset) };
}

/** The kernel knows `nf-tables` as `nf_tables`. */
function moduleName(name: string | undefined): string | undefined {
  return name?.replaceAll("-", "_");
}

/** The name as a person would write it. */
export function functionText({ module, name, offset }: FunctionName): string {
  return `${module === undefined ? "" : `${module}:`}${name}${offset === 0 ? "" : `+0x${offset.toString(16)}`}`;
}
