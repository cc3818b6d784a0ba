/**
 * Functions of a program or library, by name: where in the file they are.
 *
 * @module
 */
import { nearestNames } from "../../lib/core/mod.ts";
import {
  EM,
  Executable,
  type FunctionSymbol,
  type FunctionTable,
  instructionStart,
  machineName,
} from "../../lib/elf/mod.ts";
import { DebpfError } from "../../lib/errors.ts";
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import * as sys from "../sys/mod.ts";
import { findDebugFile } from "./debug_file.ts";
import { UserFunctionError, type UserFunctionProblem } from "./user_function_error.ts";
import { findUserPath, type UserPath } from "./user_path.ts";

/** Machines by `Deno.build.arch`. */
const MACHINES: Partial<Record<string, number>> = { x86_64: EM.X86_64, aarch64: EM.AARCH64 };

/** Which file a program is attached to. */
export interface UserBinaryOptions {
  /**
   * The program or library: a path; or without `/` a program of `PATH` (`bash`) or a library of `LD_LIBRARY_PATH` and the usual
   * folders (`libc.so.6`).
   */
  readonly path: string;
  /** A process whose mount namespace the path is in (a container's); by default this process' own. */
  readonly rootOf?: number | undefined;
}

/** A program or library that a BPF program is to be attached to. */
export class UserBinary {
  /** Its path as the kernel is given it. */
  readonly path: string;
  readonly #file: UserPath;
  readonly #place: string;
  #executable: Executable | undefined;
  #debug: { readonly file: Executable | undefined } | undefined;

  /**
   * Finds the file; it is read when something of it is asked for.
   *
   * @param options Which.
   * @param place What messages begin with: `program "p"`.
   * @throws {UserFunctionError} if there is no such file.
   */
  constructor(options: UserBinaryOptions, place: string) {
    this.#file = findUserPath(options.path, options.rootOf, place);
    this.#place = place;
    this.path = this.#file.path;
  }

  /**
   * The file's contents.
   *
   * @throws {UserFunctionError} if it cannot be read, or is no program or library of this machine.
   */
  get executable(): Executable {
    return this.#executable ??= this.#read();
  }

  /**
   * Where in the file a function is.
   *
   * @param name `malloc`, `memcpy@GLIBC_2.2.5`.
   * @param offset Bytes from its start.
   * @throws {UserFunctionError} saying why not.
   */
  functionOffset(name: string, offset = 0): number {
    const found = this.#find(name);
    if (offset < 0 || (found.size > 0 && offset >= found.size)) {
      throw this.#error("outside", `function "${name}" has only ${found.size} bytes: it has no offset ${offset}`);
    }
    const at = this.#codeOffset(found.address + offset);
    if (at !== undefined) {
      this.#checkStart(name, at - offset, offset);
      return at;
    }
    throw this.#error("outside", `function "${name}" (address 0x${found.address.toString(16)}) is not in its code`);
  }

  /** Fails if an instruction is known not to begin at an offset of a function, which begins at `start` in the file. */
  #checkStart(name: string, start: number, offset: number): void {
    const { machine, bytes } = this.executable;
    const begins = offset === 0 ? 0 : instructionStart(machine, bytes.subarray(start), offset);
    if (begins === undefined || begins === offset) return;
    throw this.#error(
      "inside",
      `offset ${offset} of function "${name}" is in the middle of an instruction, which begins at ${begins}`,
      { candidates: [String(begins)] },
    );
  }

  /**
   * Fails if an offset is not in the code of a 64-bit program: often it is an address instead. Of other files nothing is known.
   *
   * @throws {UserFunctionError} saying so.
   */
  checkOffset(offset: number): void {
    let executable: Executable;
    try {
      executable = this.executable;
    } catch (error) {
      if (error instanceof UserFunctionError && error.problem === "not-program") return;
      throw error;
    }
    const code = executable.segments.filter((segment) => segment.executable);
    if (code.some((segment) => offset >= segment.offset && offset < segment.offset + segment.fileSize)) return;
    const meant = this.#codeOffset(offset);
    const hint = meant === undefined ? "" : `: it is an address, whose offset is 0x${meant.toString(16)}`;
    throw this.#error("outside", `the offset 0x${offset.toString(16)} is not in its code${hint}`);
  }

  /**
   * Where in the file the functions are whose names `matches` takes, each once, by offset.
   *
   * @param pattern What messages call it.
   * @throws {UserFunctionError} if there are none.
   */
  matchingOffsets(pattern: string, matches: (name: string) => boolean): number[] {
    const { functions, dynamicFunctions } = this.executable;
    for (const tables of [() => functions, () => this.#debugFile?.functions, () => dynamicFunctions]) {
      const offsets = new Set<number>();
      for (const { name, address, indirect } of tables()?.all() ?? []) {
        const offset = indirect || !matches(name) ? undefined : this.#codeOffset(address);
        if (offset !== undefined) offsets.add(offset);
      }
      if (offsets.size > 0) return [...offsets].sort((a, b) => a - b);
    }
    throw this.#missing(pattern, `no function's name matches "${pattern}"`);
  }

  /** An error that begins with the program and the file. */
  #error(
    problem: UserFunctionProblem,
    message: string,
    options: { candidates?: string[]; cause?: unknown } = {},
  ): UserFunctionError {
    return new UserFunctionError(`${this.#place}: "${this.path}": ${message}`, {
      path: this.path,
      problem,
      ...options,
    });
  }

  #read(): Executable {
    let bytes: Uint8Array;
    try {
      bytes = sys.readFile(this.path);
    } catch (error) {
      if (!(error instanceof sys.SyscallError)) throw error;
      throw this.#error("no-file", `cannot be read: ${error.code}`, { cause: error });
    }
    try {
      const executable = Executable.parse(bytes, `${this.#place}: "${this.path}"`);
      const { machine, order } = executable;
      if (machine === MACHINES[Deno.build.arch] && order === HOST_BYTE_ORDER) return executable;
      throw this.#error(
        "not-program",
        `is for ${machineName(machine)} and this machine is ${Deno.build.arch}: it cannot run here`,
      );
    } catch (error) {
      if (!(error instanceof DebpfError) || error instanceof UserFunctionError) throw error;
      throw new UserFunctionError(error.message, { path: this.path, problem: "not-program", cause: error });
    }
  }

  get #debugFile(): Executable | undefined {
    this.#debug ??= { file: findDebugFile(this.executable, this.#file) };
    return this.#debug.file;
  }

  /** Of the program itself: in a debug file segments say where things were. */
  #codeOffset(address: number): number | undefined {
    const { executable } = this;
    return executable.segmentOf(address)?.executable ? executable.fileOffset(address) : undefined;
  }

  #find(name: string): FunctionSymbol {
    const [, base = name, version] = /^(.+?)@@?(.+)$/.exec(name) ?? [];
    const { dynamicFunctions, functions } = this.executable;
    for (const table of [() => dynamicFunctions, () => functions, () => this.#debugFile?.functions]) {
      const found = table()?.named(base) ?? [];
      const wanted = version === undefined ? found : found.filter((symbol) => symbol.version === version);
      if (wanted.length > 0) return this.#one(name, wanted);
      if (found.length > 0) throw this.#otherVersions(name, base, found);
    }
    if (dynamicFunctions?.imports(base)) {
      throw this.#error("imported", `function "${name}" is not in it: it is in a library that it is linked with`);
    }
    throw this.#missing(name, `has no function "${name}"`);
  }

  /** As the linkers choose: the default version before old ones, a strong symbol before weak ones. */
  #one(name: string, all: readonly FunctionSymbol[]): FunctionSymbol {
    const prefer = (symbols: readonly FunctionSymbol[], what: (symbol: FunctionSymbol) => boolean) => {
      const preferred = symbols.filter(what);
      return preferred.length > 0 ? preferred : symbols;
    };
    const [chosen, ...others] = prefer(prefer(all, ({ hidden }) => !hidden), ({ weak }) => !weak);
    const elsewhere = others.filter(({ address }) => address !== chosen!.address);
    if (elsewhere.length > 0) {
      const addresses = new Set([chosen!, ...elsewhere].map(({ address }) => address));
      const candidates = [...addresses].map((address) => `0x${(this.#codeOffset(address) ?? 0).toString(16)}`);
      throw this.#error(
        "ambiguous",
        `has ${candidates.length} functions "${name}", at the offsets ${
          candidates.join(", ")
        }: give one of these instead`,
        { candidates },
      );
    }
    if (!chosen!.indirect) return chosen!;
    const candidates = [...this.#names((other) => other.startsWith(`__${chosen!.name}_`))].sort().slice(0, 5);
    throw this.#error(
      "indirect",
      `function "${name}" stands for one of several that is chosen when a program starts: ` +
        (candidates.length === 0 ? "attach to those" : `attach to those (${candidates.join(", ")})`),
      { candidates },
    );
  }

  #otherVersions(name: string, base: string, found: readonly FunctionSymbol[]): UserFunctionError {
    const candidates = found.map(({ version }) => version === undefined ? base : `${base}@${version}`);
    return this.#error("missing", `has no function "${name}", only ${candidates.join(", ")}`, { candidates });
  }

  #missing(name: string, message: string): UserFunctionError {
    const { buildId, functions } = this.executable;
    const candidates = nearestNames(name, this.#names(() => true));
    const known = candidates.length === 0 ? "" : `; there is ${candidates.join(", ")}`;
    if (functions !== undefined || this.#debugFile !== undefined) {
      return this.#error("missing", `${message}${known}`, { candidates });
    }
    const where = buildId === undefined ? "" : ` (build id ${buildId})`;
    return this.#error(
      "stripped",
      `${message} that it exports, its other names were stripped, and there is no debug file of it${where}${known}`,
      { candidates },
    );
  }

  #names(wants: (name: string) => boolean): Set<string> {
    const { dynamicFunctions, functions } = this.executable;
    const tables: (FunctionTable | undefined)[] = [dynamicFunctions, functions ?? this.#debugFile?.functions];
    const names = new Set<string>();
    for (const table of tables) {
      for (const { name, indirect } of table?.all() ?? []) if (!indirect && wants(name)) names.add(name);
    }
    return names;
  }
}
