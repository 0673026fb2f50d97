export function reportViolations(): void
export function recordMotion(): void
export function readMotion(): string[]
export function findSidewaysScroll(): string[]
export function findMovingParts(): string[]
export function markControls(): void
export function unmarkFocused(): string
export function findUnreached(): string[]
export function readKept(): string
export function goTo(url: string): void
export function settled(): Promise<void>
export function unfold(): void
export function readText(): string
export function findForeignElements(): string[]
