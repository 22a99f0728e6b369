// Reads pictures and scales them down to what the model sees, before they are sent.

const QUALITY = 0.92;

function dataUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

function loaded(url) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => reject(new Error("it cannot be decoded"));
    image.src = url;
  });
}

// The data URL of a file's picture. A picture whose longer side is above `side` pixels is scaled to it, upright;
// smaller ones, and those that the browser cannot decode, are sent as they are.
export async function read(file, side) {
  const address = URL.createObjectURL(file);
  try {
    let image;
    try {
      image = await loaded(address);
    } catch {
      return await dataUrl(file);
    }
    const scale = side / Math.max(image.naturalWidth, image.naturalHeight);
    if (!(scale < 1)) return await dataUrl(file);
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(image.naturalWidth * scale));
    canvas.height = Math.max(1, Math.round(image.naturalHeight * scale));
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    const kind = file.type === "image/jpeg" || file.type === "image/webp" ? "image/jpeg" : "image/png";
    if (kind === "image/jpeg") {  // which has no transparency
      context.globalCompositeOperation = "destination-over";
      context.fillStyle = "#fff";
      context.fillRect(0, 0, canvas.width, canvas.height);
    }
    return canvas.toDataURL(kind, QUALITY);
  } finally {
    URL.revokeObjectURL(address);
  }
}
