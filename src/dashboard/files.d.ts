declare module '*.css'
declare module '*.md?raw'
