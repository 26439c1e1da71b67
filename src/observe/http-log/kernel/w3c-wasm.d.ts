// Owns the type of w3c-wasm.js, which the build makes of assembly/: the compiled loop in base64.
export declare const W3C_WASM: string;
