internal import CLibAV
internal import CSWScale

/// Makes a picture small, its pixels square and its colours those of JPEG.
enum PictureScaler {
    private static let tallest: Int64 = 4096

    /// At most `width` wide, never wider than it was; sides even, since a chroma sample stands for two.
    static func scale(_ picture: Frame, toWidth width: Int32) throws(PreviewFailure) -> Frame {
        guard let source = picture.pointer, source.pointee.width > 0, source.pointee.height > 0 else {
            throw PreviewFailure(.damaged, "a picture without a size")
        }
        let size = size(of: source.pointee, atMost: width)
        let result = try Frame.allocate { frame in
            frame.format = AV_PIX_FMT_YUVJ420P.rawValue
            (frame.width, frame.height) = (size.width, size.height)
            frame.color_range = AVCOL_RANGE_JPEG
        }
        guard let target = result.pointer, let context = context(from: source.pointee, to: size) else {
            throw PreviewFailure(.unsupported, "a picture of \(source.pointee.width) x \(source.pointee.height)")
        }
        defer { sws_freeContext(context) }
        guard sws_scale_frame(context, target, source) >= 0 else {
            throw PreviewFailure(.engine, "the picture cannot be scaled")
        }
        return result
    }

    private static func size(of picture: AVFrame, atMost width: Int32) -> (width: Int32, height: Int32) {
        let ratio = picture.sample_aspect_ratio
        // Beyond what any camera has it is damage.
        let isRatio = (1...255).contains(ratio.num) && (1...255).contains(ratio.den)
        let (across, down) = isRatio ? (Int64(ratio.num), Int64(ratio.den)) : (1, 1)
        let (stored, height) = (Int64(picture.width), Int64(picture.height))
        let shown = max(stored * across / down, 2)
        let newWidth = max(min(Int64(width), shown) / 2 * 2, 2)
        let newHeight = min(max(height * newWidth / shown / 2 * 2, 2), tallest)
        return (Int32(clamping: newWidth), Int32(clamping: newHeight))
    }

    private static func context(
        from picture: AVFrame, to size: (width: Int32, height: Int32)
    ) -> OpaquePointer? {
        let format = AVPixelFormat(rawValue: picture.format)
        guard sws_isSupportedInput(format) > 0,
            let context = sws_getContext(
                picture.width, picture.height, format, size.width, size.height, AV_PIX_FMT_YUVJ420P,
                SWS_AREA, nil, nil, nil)
        else { return nil }
        let isFull = picture.color_range == AVCOL_RANGE_JPEG || picture.format == AV_PIX_FMT_YUVJ420P.rawValue
        let unit: Int32 = 1 << 16
        // JFIF is BT.601 and full range; without a word from the camera large pictures are BT.709.
        let table =
            picture.colorspace == AVCOL_SPC_UNSPECIFIED && picture.height >= 720
            ? AVCOL_SPC_BT709 : picture.colorspace
        sws_setColorspaceDetails(
            context, sws_getCoefficients(Int32(bitPattern: table.rawValue)), isFull ? 1 : 0,
            sws_getCoefficients(SWS_CS_ITU601), 1, 0, unit, unit)
        return context
    }
}
