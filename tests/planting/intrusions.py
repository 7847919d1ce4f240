"""What does not belong into a Korean text: sentences, words and letters of other languages, and text for machines."""

from __future__ import annotations

FOREIGN_SENTENCES = {
    "kana": (
        "彼は何も言わずに窓の外を見ていた。", "そして二人はゆっくりと歩き出した。", "わたしはとてもうれしかったです。",
        "そのとき、ドアが開いて彼女が入ってきました。",
    ),
    "han": (
        "他慢慢地走进了房间，什么也没有说。", "这个问题我们需要再讨论一下。", "那天晚上下着很大的雨。",
        "她笑着对我说：“没关系。”",
    ),
    "cyrillic": (
        "Он долго смотрел в окно и молчал.", "На следующий день всё изменилось.", "Это очень важно для нас.",
    ),
    "thai": ("เขาเดินออกไปโดยไม่พูดอะไรเลย", "วันนี้อากาศดีมาก"),
    "arabic": ("ثم خرج من الغرفة دون أن يقول شيئا.", "كان الجو جميلا في ذلك اليوم."),
    "english": (
        "He looked out of the window and did not say a word.", "The next morning everything had changed.",
        "I think that we should talk about this later, but not here.",
        "As an AI language model, I cannot continue this story.",
    ),
    "vietnamese": ("Anh ấy nhìn ra ngoài cửa sổ và không nói gì.",),
}  # fmt: skip
FOREIGN_CHARACTERS = {
    "kana": "あいうかさたなはまのにをがですアイカサト",
    "han": "们这说进发时间会对过还没么样经现开",
    "cyrillic": "абвгдежзийклмнопрстуя",
    "thai": "กขคงจชดตนบปมยรลวสห",
    "arabic": "ابتثجحدرسعفقكلمنهوي",
}
FOREIGN_WORDS = {
    "kana": ("そして", "とても", "ありがとう", "しかし", "わたし"),
    "han": ("因为", "时候", "进行", "觉得", "我们", "简单"),
    "cyrillic": ("работать", "понимать", "который", "очень"),
    "thai": ("สวัสดี", "ขอบคุณ", "แล้ว"),
}
DEBRIS = {
    "html": ("<div class=\"content\">", "</p><br/>", "<span style='color:red'>주의</span>", "&nbsp;&lt;br&gt;&nbsp;"),
    "token": ("<|im_end|>", "<|endoftext|>", "</s>", "[INST]", "<|im_start|>assistant", "<unk><unk>", "[PAD][PAD]"),
    "role": ("assistant: ", "\nuser: 다음 이야기를 써 줘\nassistant: ", "### Response:", "\nHuman: ", "### 응답:"),
    "json": ('{"role": "assistant", "content": "', '"}, {"id": 3, "text": "', '{"title": "제목", "score": 0.91}'),
    "url": ("https://www.example.com/board/view?id=1024&page=3", "http://blog.example.net/post/88213"),
    "code": (
        "def main():\n    for i in range(10):\n        print(i)\n", "```python\nimport os\nx = os.getcwd()\n```",
        "if (x != null) { return x.value; }", "System.out.println(\"ok\");", "SELECT * FROM users WHERE id = 3;",
    ),
    "latex": ("\\frac{a}{b} + \\sum_{i=1}^{n} x_i", "\\begin{document}\\section{서론}", "$\\alpha_{i}^{2}$"),
    "page": ("[[파일:그림.jpg|섬네일]]", "{{틀:출처}}", "== 각주 ==\n<ref>", "![img](/assets/a1b2.png)"),
}  # fmt: skip
