// Pictures of curves. Without pkg-config, because its flags for cairo carry far more than cairo needs.
#include <cairo/cairo.h>
