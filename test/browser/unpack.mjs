// Unpacks the browser into the folder for temporary files (TMPDIR), and says where its program is.
import chromium from '@sparticuz/chromium'

process.stdout.write(await chromium.executablePath())
