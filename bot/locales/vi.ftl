## Sounds that are not music

not-music = không phải nhạc
kind-music = nhạc
kind-speech = tiếng nói
kind-environment = tiếng ồn xung quanh
kind-tone = âm kéo dài
kind-silence = im lặng

## What else describes a song

tag-rock = rock
tag-pop = pop
tag-alternative = alternative
tag-indie = indie
tag-electronic = điện tử
tag-female-vocalists = giọng nữ
tag-dance = nhạc nhảy
tag-00s = thập niên 2000
tag-alternative-rock = alternative rock
tag-jazz = jazz
tag-beautiful = đẹp
tag-metal = metal
tag-chillout = thư thái
tag-male-vocalists = giọng nam
tag-classic-rock = rock kinh điển
tag-soul = soul
tag-indie-rock = indie rock
tag-mellow = êm dịu
tag-electronica = electronica
tag-80s = thập niên 1980
tag-folk = nhạc dân gian
tag-90s = thập niên 1990
tag-chill = thư giãn
tag-instrumental = không lời
tag-punk = punk
tag-oldies = nhạc xưa
tag-blues = blues
tag-hard-rock = hard rock
tag-ambient = ambient
tag-acoustic = mộc (acoustic)
tag-experimental = thử nghiệm
tag-female-vocalist = ca sĩ nữ
tag-guitar = guitar
tag-hip-hop = hip hop
tag-70s = thập niên 1970
tag-party = tiệc tùng
tag-country = đồng quê
tag-easy-listening = dễ nghe
tag-sexy = gợi cảm
tag-catchy = bắt tai
tag-funk = funk
tag-electro = electro
tag-heavy-metal = heavy metal
tag-progressive-rock = progressive rock
tag-60s = thập niên 1960
tag-rnb = R&B
tag-indie-pop = indie pop
tag-sad = buồn
tag-house = house
tag-happy = vui tươi

## The answer

answer-sure = Mình nghe ra đây là { $genre } ({ $confidence }%).
answer-probable = Có lẽ là { $genre } ({ $confidence }%).
answer-unsure-two = Mình không chắc lắm: có thể là { $genre } ({ $confidence }%) hoặc { $other } ({ $other-confidence }%).
answer-unsure-one = Mình không chắc lắm: có thể là { $genre } ({ $confidence }%).
answer-speech = Nghe như có người đang nói chuyện. Bạn gửi mình một bài nhạc nhé, mình sẽ cho biết thể loại.
answer-environment = Nghe như tiếng ồn xung quanh, không phải nhạc. Bạn gửi mình một bài nhạc nhé, mình sẽ cho biết thể loại.
answer-tone = Đây chỉ là một âm kéo dài, không phải nhạc. Bạn gửi mình một bài nhạc nhé, mình sẽ cho biết thể loại.
answer-silence = Mình không nghe thấy gì cả. Bạn gửi mình một bài nhạc nhé, mình sẽ cho biết thể loại.
answer-tags = Từ khoá: { $tags }.
answer-runners-up = Cũng có thể là: { $genres }.
answer-runner-up = { $genre } ({ $confidence }%)
answer-known = Bài này mình nghe rồi.
answer-length = Bài dài { $length }, mình nghe thành { $segments } đoạn.
answer-short = Mới có { $seconds } giây nhạc thôi; nghe dài hơn mình sẽ đoán chắc hơn.
answer-excerpt = Mình mới nghe { $seconds } giây. Cứ mười bài thì ba bài có đoạn khác nghe ra thể loại khác, nên nghe cả bài mình sẽ chắc hơn.
answer-part = { $start }–{ $end } { $genre } ({ $confidence }%)
answer-part-other = { $start }–{ $end } { $kind }
answer-more-parts = … và { $count } quãng nữa
answer-votes-heading = Nếu để từng chuyên gia của mình tự trả lời:
answer-votes-line = { $expert }: { $genres }
answer-votes-count = { $genre } { $votes }/{ $segments }
opinion-corrected = Không, đây là { $label }.
opinion-agreed = Đúng rồi.

## What each expert is called

expert-knn = láng giềng
expert-svm = SVM
expert-nn = mạng nơ-ron
expert-texture = màu âm thanh
expert-texture_linear = màu âm thanh, bản gọn
expert-texture40 = đoạn to
expert-texture40_linear = đoạn to, bản gọn
expert-musicnn_tags = không khí và nhạc cụ
expert-musicnn_embedding = đôi tai đã luyện
expert-fusion = gộp tất cả

## Progress

progress-queued-next = Sắp đến lượt bạn…
progress-queued = Bạn đang đứng thứ { $place } trong hàng chờ…
progress-queued-estimate = Bạn đang đứng thứ { $place } trong hàng chờ, còn khoảng { $minutes } phút…
progress-fetching = Đang nhận bài hát…
progress-asking = Mình có một câu hỏi về liên kết này.
progress-fetching-megabytes = Đang nhận bài hát: { $megabytes } MB rồi…
progress-waiting = Đang chờ máy xử lý…
progress-decoding = Đang mở bài hát…
progress-listening = Đang nghe đoạn { $segment } trên { $segments }…
progress-answering = Sắp xong rồi…
progress-cancelled = Mình dừng rồi, và đã quên bài đó.

## Buttons

button-right = Đúng rồi
button-wrong = Sai rồi
button-other = Thể loại khác
button-chosen = ✓ { $genre } (đổi)
button-after-all = Ừ, { $genre }
button-add-genre = Thêm “{ $name }”
button-genre-list = Xem danh sách
button-is-music = Là nhạc mà
button-change = Sửa lại
button-undo = Rút lại
button-cancel = Dừng
button-votes = Ý kiến từng chuyên gia
button-allow = Được, cứ học đi
button-refuse = Thôi, cảm ơn
button-withdraw = Đừng học từ mình nữa

## Corrections

correction-agreed = Cảm ơn bạn! Biết được { $label } là đúng, mình mừng lắm.
correction-taken = Cảm ơn bạn! Mình ghi lại rồi: đây là { $label }.
correction-family = Cảm ơn bạn! Vậy { $label } là đúng; mình chỉ nói cụ thể hơn là { $style }.
correction-proposed-moderators = Cảm ơn bạn! Mình chưa biết thể loại “{ $label }”. Mình đã ghi lại như một đề xuất, người quản lý sẽ xem.
correction-proposed-others = Cảm ơn bạn! Mình chưa biết thể loại “{ $label }”. Mình ghi lại rồi; khi có thêm người cũng nói vậy về bài này thì mới tính.
correction-proposed-nobody = Cảm ơn bạn! Mình chưa biết thể loại “{ $label }”. Mình ghi lại rồi, nhưng chỉ khi chủ bot chọn người quản lý để xác nhận thể loại mới thì mình mới học được.
correction-proposed-nowhere = Cảm ơn bạn! Mình chưa biết thể loại “{ $label }”. Mình ghi lại rồi.
correction-proposed-oneself = Cảm ơn bạn! Mình chưa biết thể loại “{ $label }”. Mình ghi lại rồi; đủ bài là mình học được.
correction-undone = Đã xoá lời sửa của bạn.
correction-nothing = Bạn chưa sửa bài này.
correction-kept = Bạn đã nói bài này là { $label } nên mình vẫn giữ như vậy. Hay là mình đoán đúng?

## Teaching a genre song by song

teach-begun = Bạn gửi các bài { $label } vào đây, lần lượt hay nhiều bài một lúc đều được. Mỗi bài tính là một lần bạn sửa, cho đến khi bạn gửi lại lệnh này mà không kèm tên, hoặc nửa tiếng không gửi gì.
teach-then-agree = Gửi xong, bạn gửi lại lệnh này mà không kèm tên nhé: khi đó người khác ở đây chỉ cần bấm một nút là đồng ý với tất cả các bài.
teach-nowhere = Những gì bạn dạy ở đây mình vẫn giữ, nhưng chủ bot không cho mình học từ { $platform ->
    [discord] Discord
    [telegram] Telegram
   *[other] những gì mọi người nói ở đây
}.
teach-nobody = Mình chưa biết thể loại “{ $label }”. Bạn dạy gì mình cũng giữ, nhưng chỉ khi chủ bot chọn người quản lý để xác nhận thể loại mới thì mình mới học được.
teach-ended = Vậy là xong phần { $label }. Từ giờ bạn gửi bài nào mình lại trả lời như bình thường.
teach-invitation = { $songs ->
    [0] Ở đây đang có các bài được dạy là { $label }. Phải có thêm người nói vậy thì mới tính: ai biết các bài này thì chờ mình trả lời xong rồi bấm nút giúp nhé.
   *[other] Ở đây vừa có { $songs } bài được dạy là { $label }. Phải có thêm người nói vậy thì mới tính: ai biết các bài này thì bấm nút giúp nhé.
}
teach-invitation-moderators = { teach-invitation } Thể loại này mình chưa biết nên cần người quản lý xác nhận nữa.
teach-seconded = { $songs ->
    [0] Các bài này bạn đã nói rồi.
   *[other] Cảm ơn bạn! Mình đã ghi thêm ý kiến của bạn: { $songs } bài ấy là { $label }.
}
button-second = { $songs ->
    [1] Đúng là { $label }
    [0] Các bài này đều là { $label }
   *[other] Cả { $songs } bài đều là { $label }
}
teach-usage = Bạn gửi lệnh này kèm tên một thể loại nhé, ví dụ zouk. Sau đó bài nào bạn gửi vào đây cũng được tính là thể loại ấy.
teach-unclear = Ý bạn là { $genres } à? Bạn gửi lại lệnh này với đúng tên nhé.
teach-noted = Mình ghi là { $label } rồi. Nếu để mình đoán thì là { $genre } ({ $confidence }%).
teach-noted-agreed = Mình ghi là { $label } rồi. Mình cũng đoán vậy.
teach-noted-not-music = Mình ghi là { $label } rồi, dù mình nghe không giống nhạc.

## Learning: asked once, off by default

consent-question = Mình học từ chuyện này được không? Lời sửa của bạn và những con số tính từ các bài đó có thể dùng để dạy phiên bản sau của mình, còn bản thu thì không bao giờ. Bạn đổi ý lúc nào cũng được.
consent-allowed = Cảm ơn bạn! Từ giờ mình sẽ học từ những lần bạn sửa. Bạn muốn rút lại lúc nào cũng được.
asking-offer = Thỉnh thoảng mình hỏi bạn về một bài được không? Mỗi ngày nhiều nhất một lần, chỉ khi nói chuyện riêng, và chỉ về những bài giúp mình học được nhiều nhất.
asking-yes = Được rồi, thỉnh thoảng mình sẽ hỏi bạn. Muốn đổi thì bạn gõ /riengtu nhé.
asking-no = Được rồi, mình sẽ không hỏi gì đâu.
ask-genre = Bài này có phải { $genre } không? Còn thiếu { $missing } trên { $needed } bài là mình học được.
ask-experts = Các chuyên gia của mình không thống nhất về bài này. Theo bạn là thể loại gì? Lời của bạn giúp mình học được nhiều hơn hẳn.
button-ask-me = Được, cứ hỏi
button-do-not-ask = Đừng hỏi mình
page-asking-offer = Nếu bạn muốn, mỗi ngày mình hỏi bạn về một bài: xem “{ page-menu-privacy }”.
consent-refused = Được rồi, mình sẽ không học từ những lần bạn sửa.
consent-withdrawn = Xong: những lần bạn sửa sẽ không còn được dùng để dạy mình nữa.

## Privacy

privacy =
    Tệp của bạn được xoá ngay khi mình trả lời xong.

    Những gì mình giữ lại, để lần sau gặp bài đó thì trả lời được ngay và để biết mình sai ở đâu: câu trả lời, dấu nhận dạng của bản thu, những con số tính từ bản thu, và điều bạn nói về câu trả lời. Thay cho tên bạn, mình chỉ giữ một mã số; không có khoá bí mật thì không ai lần ra bạn được.

    Những lần bạn sửa và lựa chọn của bạn được giữ cho đến khi bạn xoá; còn bạn đã gửi bài nào thì mình chỉ giữ 180 ngày, sau đó các nút cũng hết hiệu lực. Câu trả lời cho các bản thu thì ở lại: người khác cũng có thể gửi đúng bản thu đó, và câu trả lời không nói gì về bạn.
privacy-consent-nowhere = Học từ những lần bạn sửa: đang tắt. Chủ bot không cho mình học từ { $platform ->
    [discord] Discord
    [telegram] Telegram
   *[other] những gì mọi người nói ở đây
}.
privacy-consent-yes = Học từ những lần bạn sửa: bạn đã đồng ý.
privacy-asking-yes = Mỗi ngày mình được hỏi bạn về một bài.
privacy-asking-no = Mình không hỏi bạn về bài nào.
privacy-consent-no = Học từ những lần bạn sửa: đang tắt.
privacy-consent-unasked = Học từ những lần bạn sửa: đang tắt. Mình sẽ hỏi bạn đúng một lần, khi bạn sửa mình lần đầu.
forget-question = Xoá hết những gì mình giữ về bạn? Xoá rồi thì không lấy lại được.
forget-done = Đã xoá { $songs ->
    [0] lịch sử (chưa có câu trả lời nào)
   *[other] { $songs } câu trả lời trong lịch sử
} và { $corrections } lần sửa của bạn. Mình không còn biết gì về bạn nữa.
mydata-name = du-lieu-cua-toi.json

## What can go wrong

error-song-failed = Mình không phân loại được bài này. Bạn thử tệp khác nhé.
error-empty-file = Tệp này trống. Bạn gửi lại nhé.
error-not-audio = Đây không phải tệp nhạc mà mình đọc được. Bạn gửi mp3, m4a, ogg, opus, flac, wav hoặc video nhé.
error-no-sound = Tệp này không có tiếng. Bạn gửi tệp có tiếng nhé.
error-damaged = Tệp này bị hỏng, mình không đọc được chút nhạc nào. Bạn gửi lại hoặc đổi sang định dạng khác nhé.
error-copy-protected = Tệp này được bảo vệ bản quyền nên mình không nghe được. Bạn gửi tệp không bị khoá nhé.
error-too-short = Ngắn quá nên mình không đoán được. Bạn gửi ít nhất { $minimum } giây nhạc nhé.
error-too-long = Bài này dài hơn { $minutes } phút. Bạn gửi một đoạn ngắn hơn nhé.
error-too-large = Tệp này lớn hơn { $megabytes } MB. Bạn gửi tệp nhỏ hơn hoặc một đoạn ngắn hơn nhé.
error-silent = Bản thu này không có tiếng gì. Bạn gửi bản nghe được nhạc nhé.
error-took-too-long = Đọc tệp này mất hơn { $seconds } giây nên mình dừng lại. Bạn thử định dạng khác nhé.
error-worker-frozen = Mình bị kẹt giữa chừng khi đọc tệp này, hai lần rồi. Bạn gửi lại sau, hoặc thử định dạng khác nhé.
error-worker-lost = Tệp này có gì đó làm mình phải dừng lại. Bạn thử tệp hoặc định dạng khác nhé.
error-too-many-queued = Bạn còn { $limit } bài đang chờ. Đợi mình trả lời xong một bài rồi gửi tiếp nhé.
error-too-many-queued-several = Mình chỉ giữ được { $limit } bài chờ cùng lúc cho bạn nên đã bỏ lại { $songs } bài. Khi các bài kia xong, bạn gửi lại nhé.
error-too-many-today-several = Bạn được gửi { $limit } bài trong 24 giờ nên mình đã bỏ lại { $songs } bài. Mai bạn gửi lại nhé.
error-too-many-today = Hôm nay vậy là đủ rồi: { $limit } bài trong 24 giờ. Mai bạn quay lại nhé.
error-closing = Mình đang tắt. Khoảng một phút nữa bạn gửi lại bài hát nhé.
error-file-unreadable = Trình duyệt không đọc được tệp này. Có thể tệp đã bị chuyển đi, hoặc không được phép đọc.
error-folder-too-full = Thư mục này có { $count } bài, mà trang này mỗi lần chỉ nhận tối đa { $limit } bài. Bạn thả thư mục nhỏ hơn, hoặc xếp bằng dòng lệnh: python -m classifier organize FOLDER --playlists OUT
error-folder-without-music = Mình không thấy nhạc trong thư mục này. Bạn chọn thư mục khác nhé.
error-folder-under-way = Mình còn đang nghe một thư mục khác của bạn. Bạn đợi xong, hoặc dừng nó lại nhé.
error-file-gone = Đến lượt thì tệp không còn nữa. Bạn gửi lại nhé.
error-transfer-too-slow = Tệp gửi lên chậm quá nên mình dừng lại. Khi nào mạng tốt hơn bạn gửi lại nhé.
error-download-too-slow = Mình đang nhận tệp này chậm quá nên dừng lại. Lát nữa bạn gửi lại nhé.
error-button-expired = Mình không còn giữ bài này nên nút này hết hiệu lực rồi. Bạn gửi lại bài hát nhé.
error-not-yours = Chỉ người gửi bài này mới làm được việc đó.
error-lesson-empty = Giờ chưa có bài nào của buổi dạy này được ghi lại. Nếu còn bài đang chờ thì lát nữa bạn bấm lại nhé.
error-own-lesson = Các bài này do chính bạn dạy, phải có người khác đồng ý nữa.
error-not-possible = Việc này không làm được.
error-label-empty = Bạn viết tên thể loại nhé.
error-label-too-long = Tên thể loại dài tối đa { $limit } ký tự thôi. Bạn viết ngắn lại nhé.
error-label-unprintable = Tên thể loại chỉ gồm một dòng chữ bình thường. Bạn viết lại nhé.
error-label-without-letter = Tên thể loại phải có ít nhất một chữ cái. Bạn viết lại nhé.
error-merge-refused = Chỉ gộp được thể loại mới đề xuất vào một thể loại đã biết. Bạn chọn lại nhé.
error-body-unreadable = Dữ liệu gửi tới bị hỏng rồi. Bạn gửi lại nhé.
error-link-too-long = Liên kết này dài quá. Bạn mở nó bằng trình duyệt rồi chép lại liên kết ngắn hơn ở đó nhé.
error-storage-unavailable = Hiện mình chưa lưu được gì cả. Vài phút nữa bạn thử lại nhé.
error-our-fault = Có lỗi ở phía mình, và lỗi đã được ghi lại. Bạn thử lại nhé.
error-link-failed = Trang này không trả lời như mong đợi. Lát nữa bạn thử lại, hoặc gửi tệp nhé.
error-link-not-a-link = Đây không phải liên kết mà mình mở được. Bạn gửi liên kết bắt đầu bằng https:// hoặc http:// nhé.
error-link-host = Mình không được phép mở liên kết đến trang này. Bạn gửi tệp nhé.
error-link-inside = Liên kết này dẫn vào một mạng riêng, mình không vào đó. Bạn gửi tệp nhé.
error-link-login = Trang này đòi đăng nhập. Bạn gửi tệp nhé.
error-link-blocked = Trang này chặn những máy chủ như của mình. Bạn gửi tệp nhé.
error-link-live = Đây là buổi phát trực tiếp, hoặc chưa bắt đầu. Bạn gửi bản ghi lại nhé.
error-link-drm = Bài này được bảo vệ bản quyền nên mình không nghe được. Bạn gửi tệp nhé.
error-link-geo = Bài này không phát được ở nước mà mình đang chạy. Bạn gửi tệp nhé.
error-link-private = Bài này ở chế độ riêng tư nên mình không nghe được. Bạn gửi tệp nhé.
error-link-removed = Bài này đã bị gỡ khỏi trang. Bạn gửi liên kết khác, hoặc gửi tệp nhé.
error-link-not-found = Liên kết này không dẫn đến đâu cả. Bạn xem lại, hoặc gửi tệp nhé.
error-link-no-music = Mình không thấy nhạc ở liên kết này. Bạn gửi liên kết đến một bài hát, hoặc gửi tệp nhé.
error-link-timeout = Tải bài này mất hơn { $seconds } giây nên mình dừng lại. Bạn gửi tệp nhé.
error-link-too-slow = Trang này gửi tệp chậm quá nên mình dừng lại. Bạn thử lại sau, hoặc gửi tệp nhé.
error-link-too-complex = Trang này phức tạp quá, mình không tìm được bài hát. Bạn gửi thẳng liên kết của bài, hoặc gửi tệp nhé.
error-link-script = Trang này cần một đoạn mã mà mình không chạy được. Bạn gửi tệp nhé.
error-link-certificate = Trang này không có chứng chỉ hợp lệ nên mình không mở. Bạn gửi tệp nhé.
error-link-list = Ở liên kết này có nhiều bài hát. Bạn gửi liên kết của một bài thôi nhé.

## A link that leads to many songs

list-found = Đây là danh sách { $count } bài hát.
list-found-more = Đây là danh sách hơn { $count } bài hát.
list-found-newest = Đây là kênh có { $count } tập.
list-found-newest-more = Đây là kênh có hơn { $count } tập.
list-offer = { $count ->
    [1] Mình nghe bài đầu tiên nhé?
   *[other] Mình nghe { $count } bài đầu tiên nhé?
}
list-offer-newest = { $count ->
    [1] Mình nghe tập mới nhất nhé?
   *[other] Mình nghe { $count } tập mới nhất nhé?
}
list-limits = Mỗi bài có câu trả lời riêng và tính là một bài của bạn: mỗi lúc tối đa { $queued } bài chờ, trong 24 giờ tối đa { $daily } bài.
button-list = { $count ->
    [1] Chỉ bài đầu tiên
   *[other] Nghe { $count } bài đầu
}
button-list-newest = { $count ->
    [1] Chỉ tập mới nhất
   *[other] Nghe { $count } tập mới nhất
}
button-list-none = Không, cảm ơn
error-list-taken = Mình nhận { $count } bài trong danh sách này; mỗi bài có câu trả lời riêng.
error-list-cut-short = Mình chỉ nhận được { $count } trên { $wanted } bài, giờ chưa nhận thêm được nữa. Những bài còn lại lát nữa bạn gửi nhé.
error-list-declined = Được rồi, mình bỏ qua danh sách này.
error-list-unanswered = Bạn chưa cho mình biết có nghe danh sách này không. Bạn gửi lại liên kết nhé.

## The timeline picture

picture-parts = Từng đoạn: cột càng cao, mình càng chắc
picture-unsure = không chắc
picture-alt-one = Dòng thời gian của bài dài { $length }: từ đầu đến cuối là { $genre } ({ $confidence }%).
picture-sounds = Những gì mình nghe thấy
picture-alt-other = Dòng thời gian của bản thu dài { $length }: { $kind }, không có nhạc.
picture-alt-many = Dòng thời gian của bài dài { $length }. { $parts }.
picture-alt-part = Từ { $start } đến { $end }: { $genre }
picture-alt-overall = Dòng thời gian của bài dài { $length }, phần lớn là { $genre }, { $count } trên { $segments } đoạn; thể loại đổi { $changes } lần.

## The page

page-title = Bài này thuộc thể loại gì?
page-skip = Đến ngay khung gửi bài hát
page-greeting = Chào bạn! Gửi mình một bài hát, mình sẽ cho biết thể loại của từng đoạn. Mình sai thì bạn bảo nhé: nhờ vậy mình mới giỏi lên được.
page-deleted = Tệp của bạn được xoá ngay khi mình trả lời xong.
page-conversation = Cuộc trò chuyện
page-drop = Thả bài hát, thư mục hay liên kết vào đây
page-choose = Chọn tệp
page-choose-folder = Mở thư mục
page-drop-now = Thả tay ra, mình nghe liền
page-formats = mp3, m4a, ogg, opus, flac, wav, aiff, webm, mp4 hoặc mov, tối đa { $megabytes } MB và { $minutes } phút.
page-examples = Hoặc thử một trong những bài này:
page-example = Thử “{ $title }”
page-you-sent = Bạn đã gửi một bài hát
page-you-sent-folder = Bạn đã gửi một thư mục
page-uploading = Đang gửi…
page-folder-opening = Đang xem trong thư mục…
page-upload-failed = Bài hát chưa gửi được. Bot còn chạy không nhỉ? Bạn thử lại nhé.
page-lost = Mình mất liên lạc với bot. Bot còn chạy không nhỉ? Mình vẫn đang thử lại…
page-segments = Từng đoạn
page-column-time = Thời gian
page-column-genre = Thể loại
page-column-confidence = Độ tin cậy
page-column-runner-up = Khả năng thứ hai
page-column-votes = Ý kiến từng chuyên gia
page-genre-search = Vậy là thể loại nào?
page-genre-search-hint = Gõ để tìm, hoặc tự viết một thể loại
page-genre-new = Thể loại mới: “{ $label }”
page-genre-known-count = { $count ->
    [0] Chưa có thể loại này. Nhấn Enter để đề xuất.
   *[other] Tìm thấy { $count } thể loại.
}
page-save = Lưu
page-close = Đóng
page-language = Ngôn ngữ
page-menu-privacy = Quyền riêng tư
page-menu-mydata = Tải dữ liệu của mình
page-menu-forget = Xoá dữ liệu của mình
page-forget-confirm = Đúng, xoá hết
page-forget-keep = Không, cứ giữ lại
page-no-script = Trang này cần JavaScript để nói chuyện với bot.
page-model = Phiên bản { $model }
page-link = Liên kết đến bài hát
page-link-hint = Dán liên kết bài hát
page-link-send = Gửi
page-no-link = Mình không thấy liên kết nào ở đây. Bạn dán địa chỉ bài hát hay video nhé, kiểu như https://…
page-new-answers = Có câu trả lời mới ở dưới
page-away = Mình đang mất liên lạc với bot. Có lại là mình gửi ngay…
page-waiting = Đang đợi đến lượt…
page-no-room = Đang đợi có chỗ trống…
page-try-again = Thử lại
page-play = Nghe
page-pause = Tạm dừng
page-position = Vị trí trong bài
page-unplayable = Trình duyệt này không phát được loại tệp này.
page-why = Vì sao?
page-why-part = { $start }–{ $end } ({ $confidence }%)
page-why-parts = Giống { $genre } nhất: { $parts }.
page-why-tags = Mình còn nghe thấy: { $tags }.
page-why-closest = Nghe giống { $songs } mà bạn đã gửi.
page-list-and = {" và "}
page-tag = Nhãn trong tệp ghi “{ $tag }”.
page-tag-agrees = Nhãn trong tệp cũng ghi “{ $tag }”.
page-tag-differs = Nhãn trong tệp lại ghi “{ $tag }”.
page-silent-experts = Những chuyên gia không có tiếng nói ở đây
page-silent-expert = { $expert }: không có trọng số khi câu trả lời là { $genre }, hoặc không biết thể loại này
page-save-picture = Lưu hình
page-copy-text = Sao chép câu trả lời
page-copied = Đã sao chép
page-copy-failed = Trình duyệt không cho mình sao chép
page-remove = Xoá bài này
page-removed = Mình đã quên bài đó rồi.
page-record = Thu âm
page-record-title = Thu âm bài đang phát
page-record-hint = Bạn để máy gần chỗ phát nhạc khoảng 10 đến 30 giây nhé.
page-record-stop = Xong
page-record-cancel = Thôi
page-record-level = Độ to
page-record-name = Bản thu âm
page-record-quiet = Mình gần như không nghe thấy gì. Micro bật chưa bạn?
page-record-refused = Trình duyệt chưa cho mình dùng micro. Bạn cho phép ở thanh địa chỉ rồi bấm Thu âm lần nữa nhé.
page-tools = Những bài của bạn
page-tools-search = Tìm tên bài, thể loại hay nhãn
page-tools-all = Tất cả
page-tools-csv = Bảng (CSV)
page-tools-playlists = Danh sách phát
page-tools-statistics = Thống kê
page-tools-count = { $count } bài
page-tools-waiting = còn { $count } bài nữa
page-tools-failed = { $count } bài không có câu trả lời
page-tools-none = Không có bài nào như vậy.
page-history-file = bài của mình
page-csv-title = Tên bài
page-csv-genre = Thể loại
page-csv-confidence = Độ tin cậy
page-csv-sure = Chắc chắn
page-csv-yours = Thể loại bạn chọn
page-csv-length = Độ dài
page-yes = có
page-no = không
page-statistics-title = { $songs } bài
page-statistics-line = { $genres } thể loại, { $minutes } phút nhạc
page-statistics-others = Các thể loại khác
page-statistics-alt = Số bài bạn đã gửi theo từng thể loại

## A folder on the page

page-collection-songs = { $count } bài
page-collection-progress = Đã nghe { $done } trên { $total } bài…
page-collection-progress-soon = Đã nghe { $done } trên { $total } bài, mỗi phút { $speed } bài. Còn chưa đầy một phút…
page-collection-progress-minutes = Đã nghe { $done } trên { $total } bài, mỗi phút { $speed } bài. Còn khoảng { $minutes } phút…
page-collection-paused = Đã nghe { $done } trên { $total } bài. Không còn trang nào gửi tiếp: bạn mở lại đúng thư mục đó, mình sẽ làm tiếp từ đây.
page-collection-again = Mở lại thư mục
page-collection-done = { $songs ->
    [0] Không nghe được bài nào.
   *[other] Đã xếp xong { $songs } bài.
}
page-collection-stopped = Mình dừng sau { $done } trên { $total } bài. Muốn làm tiếp thì bạn mở lại đúng thư mục đó nhé.
page-collection-not-sure = Chưa chắc
page-collection-not-music = Không phải nhạc
page-collection-failures = { $count } tệp không nghe được
page-collection-minimum = Tin những câu trả lời
page-collection-minimum-sure = mà mô hình thấy chắc
page-collection-minimum-percent = có độ tin cậy từ { $percent } % trở lên
page-collection-report = Bản đồ, bản trùng, nhãn đáng ngờ
page-collection-playlists = Tải danh sách phát
page-collection-unpack = Tệp zip có một danh sách phát cho mỗi thể loại, một danh sách những bài chưa chắc, và bản báo cáo. Bạn giải nén vào “{ $name }”: từ đó chúng tìm thấy các bài hát.
page-collection-file = danh sách phát của { $name }
page-lesson = Thư mục này mang tên một thể loại. Dạy mình { $songs } bài trong đó là { $genre } nhé? Mỗi bài tính như một lần bạn sửa.
page-lesson-yes = Được, dạy đi
page-lesson-no = Thôi, để vậy
page-lesson-taught = Mình đã ghi: { $songs } bài là { $genre }.

## Moderators

button-accept = Chấp nhận
button-reject = Từ chối
button-relabel = Thể loại khác
button-merge = Gộp vào thể loại
button-skip = Bỏ qua
button-accept-label = { $label } ({ $people })
button-accept-all = Chấp nhận cả { $count } ý kiến { $label } đã thống nhất
button-undo-ruling = Hoàn tác
review-heading = { $count ->
    [1] Lần sửa số { $numbers }
   *[other] Các lần sửa số { $numbers }
}; còn { $waiting } bài chờ duyệt
review-title = “{ $title }”
review-said-sure = Mình nói là { $genre } ({ $confidence }%).
review-said-unsure = Mình không chắc: { $genre } ({ $confidence }%).
review-said-not-music = Mình nói đây không phải là nhạc.
review-agreed = { $people ->
    [1] Người nghe nói { $label } là đúng.
   *[other] { $people } người nói { $label } là đúng.
}
review-given = { $people ->
    [1] Người nghe nói đây là { $label }.
   *[other] { $people } người nói đây là { $label }.
}
review-proposed = Tên này mới chỉ được đề xuất, chưa ai xác nhận.
review-disputed = Mọi người không thống nhất về bài này: { $labels }. Quyết định của bạn sẽ phân xử.
review-disputed-count = { $label } ({ $people })
review-ruled = Bài này đã được duyệt là { $labels }.
review-moderators-disagree = Những người quản lý không thống nhất về bài này: { $labels }. Quyết định mới nhất được tính.
review-link = Nghe lại: { $link }
review-overruled = Trước đó người quản lý khác đã duyệt là { $label }. Giờ mình tính theo bạn, và sẽ báo cho họ.
review-you-were-overruled = “{ $title }”: bạn đã duyệt là { $before }, nhưng sau đó người quản lý khác duyệt là { $after }.
review-you-were-rejected = “{ $title }”: bạn đã chấp nhận { $before }, nhưng sau đó người quản lý khác từ chối.
review-accepted-all = Đã chấp nhận { $count } ý kiến nói là { $label }.
review-undone = Đã đưa { $count } ý kiến trở lại hàng chờ duyệt.
review-pending = Đã đưa lại vào hàng chờ duyệt.
review-accepted = Đã chấp nhận: { $label }.
review-rejected = Đã từ chối: { $label }.
review-relabelled = Đã ghi là { $label }.
review-merged = “{ $source }” giờ là tên khác của { $target }; đã chuyển { $corrections } lần sửa.
review-none = Không còn gì để duyệt.
feedback-none = Chưa ai nêu ý kiến.
feedback-totals = { $corrections } ý kiến của { $people } người về { $songs } bài.
feedback-agreement = { $percent }% nói mình đúng.
feedback-waiting = Đang chờ duyệt: { $waiting }.
feedback-trainable = Được dùng để dạy phiên bản sau: { $trainable }.
feedback-genre = { $genre }: mình nói { $said } lần, đúng { $right } lần; người nghe nói { $given } lần
feedback-proposed = Được đề xuất: { $labels }.
feedback-proposed-count = { $label } ({ $count })
feedback-exported = { $rows } dòng từ { $songs } bài, người sửa đều đã đồng ý.
feedback-export-empty = Không có gì để xuất: trong những lần sửa khớp với yêu cầu, chưa ai đồng ý cho dùng để dạy mình.
error-export-option-unknown = “{ $option }” không phải định dạng, cũng không phải thể loại mà mình biết. Các định dạng là { $formats }.
error-not-a-moderator = Chỉ người quản lý mới làm được việc này.
error-genre-unknown = Mình không biết thể loại nào tên như vậy. Bạn viết lại nhé.
error-genre-unclear = Ý bạn là { $genres } à? Bạn chọn trong danh sách, hoặc thêm từ vừa gõ làm thể loại mới nhé.
error-typed-genre-gone = Mình không còn nhớ bạn đã gõ gì. Bạn gõ lại thể loại nhé.
error-format-missing = Ở đây không ghi được định dạng này. Bạn chọn định dạng khác nhé.
error-links-not-taken = Mình chưa mở được liên kết. Bạn gửi thẳng tệp bài hát cho mình nhé.

## Learning from corrections, as moderators see it

readiness-heading = Mọi người đang dạy mình:
readiness-known = { $genre }: { $recordings } bản thu để mình giỏi hơn
readiness-complete = { $genre }: { $recordings } bản thu, đủ để học rồi
readiness-missing = { $genre }: { $recordings }/{ $needed } bản thu
readiness-people = cần thêm { $people } người đồng ý
readiness-copies = { $songs } bài trùng bản thu khác
readiness-unconfirmed = { $songs } bài chờ người quản lý xác nhận thể loại
readiness-waiting = { $songs } bài chờ thêm người
readiness-disputed = { $songs } bài còn bất đồng
readiness-later = { $songs } bài được tính sau, từ { $time }
retraining-off = Mình không tự học lại.
retraining-nightly = Mình học lại vào ban đêm, khi đã đủ bài.
retraining-when-ready = Mình học lại ngay khi đủ bài.
retraining-running = Mình đang học lại: { $text } ({ $time })
retraining-promoted = Mình đã học lại ({ $time }): { $text }
retraining-refused = Mình đã học lại ({ $time }), nhưng bản mới chưa đủ tốt: { $text }
retraining-not-enough = Mình đã xem có gì mới để học không ({ $time }): { $text }
retraining-failed = Học lại không thành ({ $time }): { $text }

## The moderators' page

desk-title = Quản lý
desk-skip = Đến danh sách bài
desk-queue = Các bài chờ duyệt
desk-filter = Lọc
desk-show-all = Cả những bài đã duyệt
desk-bulk = Với các bài đã chọn
desk-select-shown = Chọn hết
desk-label = Thể loại khác
desk-relabel = Đổi
desk-keys = Phím: J và K để di chuyển, X để chọn, A để chấp nhận, R để từ chối, U để hoàn tác. Bản thu không được giữ lại nên không nghe lại được; hình cho thấy mình đã nghe ra gì.
desk-accuracy = Độ chính xác theo thời gian
desk-genre = Thể loại
desk-releases = Các bản phát hành
desk-roll-back = Quay lại bản trước
desk-serving = đang dùng
desk-promote = Dùng bản này
desk-disputed = Mọi người bất đồng về bài này.
desk-select = Chọn
desk-timeline = Mình đã nghe ra
desk-recognised = Nhận ra khi thử
desk-no-figures = Chưa có số liệu cho thể loại này.
desk-failed = Không được rồi. Bạn tải lại trang nhé.
desk-untitled = Bài không có tên
desk-said = Mình nói: { $genre } ({ $confidence }%)
desk-figure = đúng { $percent }% với những bài học lúc đầu, mỗi bài được thử khi chưa dùng để học
desk-accepted = Đã chấp nhận: { $count }. Bạn hoàn tác được.
desk-rejected = Đã từ chối: { $count }. Bạn hoàn tác được.
desk-relabelled = Đã đổi: { $count }. Bạn hoàn tác được.
desk-pending = Đưa lại để duyệt: { $count }.
desk-serves = Vài giây nữa sẽ dùng { $name }.
error-release-not-changed = Bản phát hành chưa đổi: { $reason }

## About the bot, and how a chat is set up

about = Mình nghe một bài hát rồi cho bạn biết thể loại của từng đoạn. Mình sai thì bạn bảo nhé: nhờ vậy phiên bản sau của mình mới giỏi lên.
about-release = Mình biết { $count } thể loại: { $genres }.
about-accuracy = Thử với bài của những nghệ sĩ mình chưa nghe bao giờ, mình đoán đúng { $percent }% số bài.
about-taught = Mình còn học từ { $songs } bài mà mọi người đã sửa và cho phép mình học.
about-taught-genre = { $genre } là do mọi người ở đây dạy, với { $songs } bài. Thử từng bài khi bài đó chưa dùng để học, mình nhận ra { $percent }%; trước đó thì chưa nhận ra bài nào.
taught-thanks = Giờ mình nhận ra { $genre } rồi, cũng nhờ { $songs } bài của bạn.
about-base = Với những bài dùng để dạy mình lúc đầu, mỗi bài được thử khi chưa dùng để dạy, mình đoán đúng { $percent }% số bài.
about-cannot = Những điều mình không làm được: nói tên nghệ sĩ hay tên bài, và nhận ra thể loại mình không biết. Gặp bài như thế, mình gọi nó bằng thể loại gần nhất mà mình biết; thường thì mình có nói là không chắc, nhưng không phải lúc nào cũng vậy. Thể loại vốn lẫn vào nhau, và người nghe cũng hay bất đồng.
stats-none = Ở đây mình chưa nghe bài nào.
stats-heard = Ở đây mình đã nghe { $songs ->
    [1] một bài
   *[other] { $songs } bài khác nhau
} (dài { $length }) và trả lời { $answers } lần:
stats-genre = { $genre }: { $songs }
stats-more = … và { $count } thể loại nữa
stats-opinions = Đến giờ có { $corrections } ý kiến; { $percent }% nói mình đúng.
settings-language = Ngôn ngữ ở đây: { $name }, trừ khi ai đó tự chọn ngôn ngữ khác cho mình.
settings-language-own = Mình nói { $name } với bạn.
settings-language-each = Ngôn ngữ ở đây: theo từng người.
settings-picture-on = Câu trả lời có kèm hình dòng thời gian.
settings-picture-off = Câu trả lời không kèm hình dòng thời gian.
settings-listening = Mình trả lời mọi bài hát, không cần hỏi, ở: { $channels }.

## The chats' own words

chat-help-private = Bạn gửi cho mình một bài: tệp nhạc, tin nhắn thoại, video, video tròn hoặc liên kết. Mình sẽ nói bài đó thuộc thể loại gì, theo từng đoạn. Nếu mình sai, bạn bấm “Sai rồi” nhé: nhờ vậy mình giỏi lên.
chat-help-group = Bạn trả lời một bài hát hay liên kết ở đây bằng /theloai, hoặc gửi bài hát và nhắc tên mình trong chú thích. Mình sẽ nói bài đó thuộc thể loại gì, theo từng đoạn. Nếu mình sai, bạn bấm “Sai rồi” nhé: nhờ vậy mình giỏi lên.
chat-help-commands-only = Trong nhóm này mình chỉ thấy những lệnh có ghi tên mình và những tin trả lời mình. Bạn trả lời một bài hát hay liên kết bằng /theloai{ $bot }, mình sẽ nói bài đó thuộc thể loại gì, theo từng đoạn. Nếu mình sai, bạn bấm “Sai rồi” nhé: nhờ vậy mình giỏi lên.
greeting-group = Chào cả nhà! Cảm ơn đã thêm mình vào nhóm.
chat-not-a-song = Cái này không phải bài hát. Bạn gửi tệp nhạc, tin nhắn thoại, video hoặc liên kết nhé.
chat-limits = Mỗi bài dài tối đa { $minutes } phút, nặng tối đa { $megabytes } MB; mỗi người được chờ { $queued } bài một lúc và gửi { $daily } bài trong 24 giờ. Bài lớn hơn thì bạn gửi liên kết, một đoạn thôi, hoặc gửi dạng mp3 hay opus nhé.
chat-help-commands = /riengtu cho biết mình giữ lại những gì, /gioithieu cho biết mình giỏi đến đâu, /ngonngu để đổi ngôn ngữ.
chat-genre-usage = Bạn trả lời một bài hát bằng /theloai, hoặc gửi bài hát và nhắc tên mình trong chú thích nhé.
chat-genre-usage-commands-only = Bạn trả lời một bài hát hay liên kết bằng /theloai{ $bot } nhé.
chat-correct-usage = Bạn trả lời một câu trả lời của mình bằng /sualai kèm thể loại nhé, ví dụ /sualai jazz.
chat-choose-genre = Vậy là thể loại nào? Bạn chọn một thể loại, hoặc trả lời tin nhắn này bằng tên của nó nhé.
chat-language = Bạn muốn mình nói tiếng gì?
chat-sent-privately = Mình đã gửi riêng cho bạn rồi.
chat-write-me-first = Cái này mình chỉ gửi riêng được thôi. Bạn nhắn cho mình trước, rồi hỏi lại ở đó nhé.
chat-feedback-usage =
    /ykien duyet để duyệt từng bài.
    /ykien thongke để xem số liệu.
    /ykien xuat để nhận tệp: csv, jsonl hoặc parquet, có thể kèm khoảng thời gian, thể loại, trạng thái, ví dụ /ykien xuat jsonl 2026-01-01..2026-03-31 jazz accepted
links-left-out = Mỗi lần mình nhận { $limit } liên kết. Những liên kết còn lại, bạn gửi trong tin nhắn khác nhé: { $links }
cannot-speak = Mình không được viết ở chỗ bạn vừa hỏi. Bạn nhờ quản trị viên cho phép, hoặc gửi bài hát cho mình ở đây nhé.
chat-already-over = Bài đó mình trả lời rồi nên xoá tin này.
chat-here = ở đây
chat-each-language = Tuỳ mỗi người
chat-picture-on = Kèm hình
chat-picture-off = Không kèm hình
chat-listen-on = Trả lời mọi bài
chat-listen-off = Chỉ khi được hỏi
chat-too-late = Không dừng kịp nữa: câu trả lời sắp tới rồi.
command-genre = Bài này thuộc thể loại gì? (trả lời vào bài hát)
command-correct = Cho mình biết thể loại đúng (trả lời vào tin của mình)
command-teach = Dạy mình một thể loại: sau đó gửi các bài của nó
command-language = Chọn ngôn ngữ
command-privacy = Mình giữ lại những gì, để làm gì
command-mydata = Nhận tệp có mọi thứ mình giữ về bạn
command-forgetme = Xoá mọi thứ mình giữ về bạn
command-about = Mình giỏi đến đâu, không làm được gì
command-stats = Mình đã nghe những gì ở đây
command-help = Cách dùng
command-feedback = Cho người quản lý: duyệt, số liệu, xuất tệp
command-settings = Ngôn ngữ, hình, và trả lời những bài nào ở đây
profile-description = Bạn gửi cho mình một bài hát, tin nhắn thoại, video hoặc liên kết, mình sẽ nói bài đó thuộc thể loại gì, theo từng đoạn. Trong nhóm, bạn trả lời bài hát bằng /theloai. Tệp của bạn được xoá ngay khi mình trả lời xong. Mình sai thì bạn bảo nhé: nhờ vậy mình giỏi lên.
profile-short = Mình nói cho bạn biết bài hát thuộc thể loại gì, theo từng đoạn. Bạn gửi tệp hoặc liên kết nhé.
error-telegram-too-large = Telegram chỉ đưa cho mình tệp tối đa 20 MB. Bạn gửi liên kết tới bài hát, một đoạn ngắn hơn, hoặc bài đó dạng mp3 hay opus nhé.

## Choosing a genre in a chat

genres-question = Vậy là thể loại nào?
genres-type = Vậy là thể loại nào? Bạn chọn một thể loại, hoặc cứ gõ tên ra nhé.
genre-did-you-mean = Ý bạn là { $genre } phải không?
genre-did-you-mean-one = Mình không biết “{ $name }”. Ý bạn là một trong những thể loại này à?
genre-unknown-question = Mình chưa biết thể loại nào tên “{ $name }”. Nếu đúng là thể loại thì mình thêm vào. Còn nếu là tên bài hát thì bạn gửi tệp hoặc liên kết của bài đó nhé.
genres-choose = Chọn một thể loại
genres-previous = ◀ Quay lại
genres-next = Xem thêm ▶
genres-other = Tìm hoặc thêm thể loại…
genres-other-title = Tìm thể loại
genres-other-field = Tên thể loại, hoặc một phần tên

## Discord

discord-help = Gửi mình một bài hát, mình sẽ cho bạn biết thể loại của từng đoạn:
    • trong tin nhắn riêng cho mình, trong tin có nhắc đến mình, hoặc khi trả lời tin của mình;
    • bằng lệnh /thể-loại kèm tệp hoặc liên kết, ở bất cứ đâu;
    • hoặc nhấp chuột phải hay nhấn giữ một tin nhắn: Ứng dụng → “Bài này thể loại gì?”.
    Mình sai thì bạn bấm “Sai rồi” (hoặc “Thể loại khác”) dưới câu trả lời và bảo mình, hoặc dùng /sửa-lại. Mình giữ lại những gì: /riêng-tư. Về mình: /giới-thiệu.
discord-cannot-see = Discord không cho mình xem tin nhắn mà bạn trả lời. Bạn nhấp chuột phải hoặc nhấn giữ tin đó rồi chọn Ứng dụng → “{ $menu }” nhé.
help-limits = Mỗi bài dài tối đa { $minutes } phút, nặng tối đa { $megabytes } MB. Mỗi lúc bạn được có { $queued } bài chờ, và { $daily } bài trong 24 giờ.
language-chosen = Từ giờ mình nói tiếng Việt với bạn.
mydata-here = Đây là tất cả những gì mình giữ về bạn.
forget-kept = Được rồi, mọi thứ vẫn như cũ.
settings-cannot-read = Nói trước để bạn biết: Discord chỉ cho mình thấy tệp trong tin của người khác khi quyền đọc nội dung tin nhắn (message content intent) được bật cho mình ở cổng nhà phát triển, mà hiện giờ thì chưa. Cho đến khi đó, ở đấy mình chỉ trả lời những bài có nhắc đến mình hoặc trả lời tin của mình.
slash-genre = thể-loại
    .about = Bài hát này thuộc thể loại gì?
slash-correct = sửa-lại
    .about = Cho mình biết thể loại đúng của bài mới nhất ở đây
slash-teach = dạy
    .about = Dạy mình một thể loại: bài bạn gửi vào đây sau đó đều tính là thể loại ấy
slash-privacy = riêng-tư
    .about = Mình giữ gì, bao lâu và vì sao; lựa chọn của bạn về việc học
slash-mydata = dữ-liệu
    .about = Tất cả những gì mình giữ về bạn, trong một tệp
slash-forgetme = quên-tôi
    .about = Xoá hết những gì mình giữ về bạn
slash-language = ngôn-ngữ
    .about = Mình nói với bạn bằng ngôn ngữ nào
slash-help = trợ-giúp
    .about = Hỏi mình thế nào, và có những giới hạn gì
slash-about = giới-thiệu
    .about = Mình giỏi đến đâu, không làm được gì
slash-stats = thống-kê
    .about = Ở đây mình đã nghe những gì
slash-settings = cài-đặt
    .about = Cài đặt của mình ở đây
slash-feedback = ý-kiến
    .about = Xem các lần sửa của mọi người (người quản lý)
slash-review = duyệt
    .about = Duyệt từng bài cùng ý kiến của mọi người
slash-counts = thống-kê
    .about = Các lần sửa theo từng thể loại
slash-export = xuất
    .about = Các lần sửa, trong một tệp để dạy mình
menu-genre = Bài này thể loại gì?
menu-correct = Sửa thể loại
option-file = tệp
    .about = Tệp nhạc hoặc video
option-link = liên-kết
    .about = Địa chỉ của bài hát
option-genre = thể-loại
    .about = Gõ để tìm, chọn, hoặc viết một thể loại mới
option-taught = thể-loại
    .about = Thể loại bạn muốn dạy; bỏ trống để dừng
option-wanted = thể-loại
    .about = Chỉ thể loại này
option-language = ngôn-ngữ
    .about = Ngôn ngữ
option-here = ngôn-ngữ
    .about = Ngôn ngữ của câu trả lời ở đây
option-picture = hình
    .about = Câu trả lời có kèm hình dòng thời gian hay không
option-listen = nghe
    .about = Kênh mà mình trả lời mọi bài hát, không cần hỏi
option-ignore = bỏ
    .about = Kênh mà mình thôi trả lời mọi bài
option-form = định-dạng
    .about = Loại tệp: csv, jsonl hoặc parquet
option-since = từ-ngày
    .about = Ngày đầu, như 2026-11-01
option-until = đến-ngày
    .about = Ngày cuối, như 2026-11-30
option-status = trạng-thái
    .about = Đã duyệt đến đâu
choice-on = bật
choice-off = tắt
choice-each = theo từng người
choice-pending = đang chờ duyệt
choice-accepted = đã chấp nhận
choice-rejected = đã từ chối
choice-relabelled = đã đổi thể loại
error-no-song-there = Mình không thấy bài hát nào ở đó. Bạn chọn một tin nhắn có tệp nhạc hoặc liên kết nhé.
error-too-many-here = Ở đây mỗi lần mình chỉ trả lời được { $limit } bài nên mình lấy những bài đầu. Những bài còn lại bạn gửi riêng cho mình nhé.
error-nothing-to-correct = Mình không thấy câu trả lời nào của mình ở đây. Bạn bấm “Sai rồi” ngay dưới câu trả lời nhé.
error-date-unclear = Bạn viết ngày như 2026-11-30 nhé.
error-export-too-large = Tệp sẽ lớn hơn { $megabytes } MB. Bạn chọn khoảng thời gian ngắn hơn hoặc một thể loại nhé.

## The API for programs

error-api-token-needed = Cần một token hợp lệ. Hãy gửi kèm “Authorization: Bearer TOKEN”.
error-api-request-unclear = Yêu cầu này không đúng như API mô tả trong /v1/openapi.json.
error-api-media-type = Hãy gửi một tệp nhạc, một biểu mẫu có trường “file”, hoặc JSON có “link”, kèm Content-Type phù hợp.
error-api-upload-too-slow = Tệp không đến kịp. Bạn gửi lại nhé.
error-api-nothing-there = Không có gì ở địa chỉ này.
error-api-method = Địa chỉ này không nhận phương thức này.
error-api-song-not-found = Không có bài hát nào mang mã này, có thể nó đã bị xoá.
error-api-answer-expired = Câu trả lời cho bài này không còn được lưu. Bạn gửi lại bài hát nhé.
error-api-not-answered = Bài này chưa có thể loại nào để sửa.
error-api-no-question = Bài này không phải danh sách phát đang chờ bạn chọn số bài.
error-api-key-in-use = Một yêu cầu với Idempotency-Key này vẫn đang được xử lý. Bạn thử lại sau giây lát nhé.
error-api-key-reused = Idempotency-Key này đã được dùng cho một bài khác. Bạn chọn khoá mới nhé.
