/** Vite turns an imported style sheet into a file of the build. */
declare module '*.css'
