// Owns the type of a sheet that is imported as its text.
declare module '*.css' { const css: string; export default css; }
