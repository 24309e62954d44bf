// A C file that is imported by its path.
declare module '*.c' {
  const path: string;
  export default path;
}
